#include "tools/lockdep_command.h"

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class LockdepCommandTest : public CommandTest {
 protected:
  // Writes a compressed archive; returns its path.
  std::string PutTarXz(const std::string& name,
                       const std::vector<std::pair<std::string, std::string>>& members) {
    archive* writer = archive_write_new();
    archive_write_add_filter_xz(writer);
    archive_write_set_format_ustar(writer);
    EXPECT_EQ(archive_write_open_filename(writer, Path(name).c_str()), ARCHIVE_OK);
    for (const auto& [member, text] : members) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, member.c_str());
      archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
      archive_entry_set_filetype(entry, AE_IFREG);
      archive_entry_set_perm(entry, 0644);
      archive_write_header(writer, entry);
      archive_write_data(writer, text.data(), text.size());
      archive_entry_free(entry);
    }
    archive_write_free(writer);
    return Path(name);
  }
  // One thread takes `first` and then `second`.
  static std::string Nested(const std::string& thread, char first, char second) {
    std::string text;
    int at = 0;
    const auto line = [&](const std::string& event, char lock) {
      text += scenario::Cat("  ", thread, " [000] .....   1.00000", ++at, ": ", event, ": 0x",
                            std::string(1, lock), "0 &lock_", std::string(1, lock), "\n");
    };
    line("lock_acquire", first);
    line("lock_acquire", second);
    line("lock_release", second);
    line("lock_release", first);
    return text;
  }
};

TEST_F(LockdepCommandTest, OneOrderIsClean) {
  EXPECT_EQ(Crashdep({"lockdep", Put("trace", Nested("task-1", 'a', 'b'))}), 0);
  EXPECT_THAT(out_, HasSubstr("&lock_a"));
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(LockdepCommandTest, TwoOrdersInTwoFilesAreACycle) {
  EXPECT_EQ(Crashdep({"lockdep", Put("one", Nested("task-1", 'a', 'b')),
                      Put("two", Nested("task-2", 'b', 'a'))}),
            1);
  EXPECT_THAT(out_, HasSubstr("possible circular locking dependency"));
}

TEST_F(LockdepCommandTest, MembersOfAnArchiveAreReadInOrder) {
  const std::string archive = PutTarXz(
      "both.tar.xz", {{"one", Nested("task-1", 'a', 'b')}, {"two", Nested("task-2", 'b', 'a')}});
  EXPECT_EQ(Crashdep({"lockdep", archive}), 1);
  EXPECT_THAT(out_, HasSubstr("possible circular locking dependency"));
}

// A program with one lock taken twice, and what the kernel is said to have said.
std::string Table(const std::string& ops, const std::string& verdict) {
  return R"({"tests": [{"name": "twice", "column": "mutex", "locks": {"A": "A"}, "threads": [
            {"thread": "T0", "ops": [)" +
         ops + "]}], " + verdict + "}]}\n";
}
constexpr char kLockA[] = R"({"op": "lock", "lock": "A", "kind": "mutex", "read": 0})";

TEST_F(LockdepCommandTest, ATableOfProgramsIsComparedWithTheKernel) {
  const std::string twice = std::string(kLockA) + ", " + kLockA;
  EXPECT_EQ(Crashdep({"lockdep", Put("table", Table(twice, R"("must_report": true)"))}), 0);
  EXPECT_EQ(out_,
            "pass  twice mutex: WARNING: possible recursive locking detected: A\n"
            "1 passed, 0 failed\n");
  EXPECT_EQ(Crashdep({"lockdep", Put("table", Table(twice, R"("must_report": false)"))}), 1);
  EXPECT_THAT(out_, HasSubstr("(the kernel does not report)\n0 passed, 1 failed\n"));
}

TEST_F(LockdepCommandTest, AProgramWithAnUnknownOperationIsNamedWithTheReason) {
  const std::string table = Table(R"({"op": "teleport"})", R"("must_report": true)");
  EXPECT_EQ(Crashdep({"lockdep", Put("table", table)}), 0);
  EXPECT_THAT(out_, HasSubstr("skip  twice mutex: /tests/0/threads/0/ops/0: no rule for "
                              "{\"op\":\"teleport\"}\n1 skipped\n0 passed, 0 failed\n"));
}

TEST_F(LockdepCommandTest, ADamagedTableIsBadInputWithItsPlace) {
  EXPECT_EQ(Crashdep({"lockdep", Put("table", "{\"tests\": [{\n  \"threads\": 3}]}")}), 2);
  EXPECT_EQ(err_, Path("table") + ":1:12: /tests/0: want an array \"threads\"\n");
  EXPECT_EQ(Crashdep({"lockdep", Put("table", "{\"tests\": [")}), 2);
}

TEST_F(LockdepCommandTest, WhatIsNoTraceIsBadInput) {
  EXPECT_EQ(Crashdep({"lockdep", Put("trace", "hello\n")}), 2);
  EXPECT_THAT(err_, StartsWith(Path("trace") + ": no lock event in it, and no lock class; want "));
  EXPECT_EQ(Crashdep({"lockdep", directory_}), 2);
  EXPECT_EQ(Crashdep({"lockdep", Path("none")}), 2);
}

}  // namespace
}  // namespace tools
