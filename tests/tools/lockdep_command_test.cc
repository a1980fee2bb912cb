#include "tools/lockdep_command.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
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
  EXPECT_EQ(err_, directory_ + ": is a directory without a file lockdep\n");
  EXPECT_EQ(Crashdep({"lockdep", Path("none")}), 2);
}

constexpr char kOrders[] = R"({"schema": 1, "name": "fs",
    "classes": [{"name": "A", "known_as": ["&lock_a"]}, {"name": "B", "known_as": ["&lock_b"]}],
    "chains": [{"name": "write", "source": "fs.c", "classes": ["A", "B"]}]})";

TEST_F(LockdepCommandTest, DirectoryOfProcFilesIsReadWhole) {
  Put("proc/lockdep", "all lock classes:\n0 FD:    1 BD:    1 ....: &lock_a\n\n");
  Put("proc/lockdep_chains", "all lock chains:\nirq_context: 0\n[0] &lock_b\n\n");
  Put("proc/lockdep_stats", " lock-classes:   2\n");
  EXPECT_EQ(Crashdep({"lockdep", Path("proc")}), 0);
  EXPECT_THAT(out_, HasSubstr(" lock-classes:                             2\n"));
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(LockdepCommandTest, DiffOfOneGraphInTwoFormsIsEmpty) {
  const std::string chains = Put("chains",
                                 "irq_context: 0\n[0] &lock_a\n\n"
                                 "irq_context: 0\n[0] &lock_a\n[1] &lock_b\n\n");
  const std::string trace = Put("trace", Nested("task-1", 'a', 'b'));
  EXPECT_EQ(Crashdep({"lockdep", "--diff", chains, trace}), 0);
  EXPECT_THAT(out_, HasSubstr("0 dependencies only in " + trace));
}

TEST_F(LockdepCommandTest, DiffNamesWhatEachHasAloneAndTheCyclesOfTheSecond) {
  const std::string a = Put("a", Nested("task-1", 'a', 'b'));
  const std::string b = Put("b", Nested("task-2", 'b', 'a'));
  EXPECT_EQ(Crashdep({"lockdep", "--diff", a, b, "--json", Path("diff.json")}), 1);
  EXPECT_THAT(out_, HasSubstr(" &lock_a -> &lock_b\n     task/1 at " + a + ":2"));
  EXPECT_THAT(out_, HasSubstr("1 report that " + b + " adds"));
  const auto json = nlohmann::json::parse(Get("diff.json"));
  EXPECT_EQ(json["only_b"][0]["held"]["lock"], "&lock_b");
  EXPECT_EQ(json["added"][0]["kind"], "lock_cycle");
}

TEST_F(LockdepCommandTest, DiffTakesTwoPaths) {
  EXPECT_EQ(Crashdep({"lockdep", "--diff", Put("a", Nested("task-1", 'a', 'b'))}), 2);
  EXPECT_EQ(err_, "lockdep --diff: want two paths\n");
}

TEST_F(LockdepCommandTest, DocumentedOrderIsHeldAgainstTheObserved) {
  const std::string orders = Put("orders.json", kOrders);
  EXPECT_EQ(Crashdep({"lockdep", "--order", orders, Put("good", Nested("task-1", 'a', 'b'))}), 0);
  EXPECT_THAT(out_, HasSubstr("fs: 0 observed against them, 0 never exercised\n"));
  EXPECT_EQ(Crashdep({"lockdep", "--order", orders, Put("bad", Nested("task-1", 'b', 'a'))}), 1);
  EXPECT_THAT(out_, HasSubstr("fs: 1 observed against them, 1 never exercised\n"));
  EXPECT_THAT(out_, HasSubstr("B -> A\n    observed: &lock_b --> &lock_a\n"
                              "    documented: A -> B [write; fs.c]\n"));
}

TEST_F(LockdepCommandTest, SuppressedReportDoesNotCountAndEntryNotNeededDoes) {
  const std::string bad = Put("bad", Nested("task-1", 'a', 'b') + Nested("task-2", 'b', 'a'));
  const auto entry = [](const std::string& message) {
    return R"({"kind": "lock_cycle", "message": ")" + message + R"(", "reason": "known"})";
  };
  const std::string known = entry("&lock_a --> &lock_b --> &lock_a");
  const auto put = [&](const std::string& entries) {
    return Put("known.json", R"({"schema": 1, "suppressions": [)" + entries + "]}");
  };
  EXPECT_EQ(Crashdep({"lockdep", bad, "--suppress", put(known)}), 0);
  EXPECT_THAT(out_, HasSubstr("suppressed 1 x: lock_cycle: &lock_a --> &lock_b --> &lock_a"));
  EXPECT_EQ(Crashdep({"lockdep", bad, "--suppress", put(known + ", " + entry("C --> D"))}), 1);
  EXPECT_THAT(out_, HasSubstr("not needed: lock_cycle: C --> D [known]"));
  EXPECT_EQ(Crashdep({"lockdep", bad, "--suppress", put(entry(""))}), 2);
  EXPECT_THAT(err_, HasSubstr("/suppressions/0/message: want a text that is not empty"));
}

TEST_F(LockdepCommandTest, WhatProcWroteReadsBackWithoutADifference) {
  const std::string trace = Put("trace", Nested("task-1", 'a', 'b'));
  EXPECT_EQ(Crashdep({"lockdep", trace, "--proc", Path("proc"), "--dot", Path("graph.dot")}), 0);
  EXPECT_THAT(Get("graph.dot"), StartsWith("digraph G {"));
  EXPECT_FALSE(std::filesystem::exists(Path("proc/lock_stat")));  // a trace has no times
  EXPECT_EQ(Crashdep({"lockdep", "--diff", trace, Path("proc")}), 0);
  EXPECT_EQ(Crashdep({"lockdep", trace, "--dot", Path("none/graph.dot")}), 2);
  EXPECT_THAT(err_, HasSubstr("none/graph.dot: cannot be written"));
}

TEST_F(LockdepCommandTest, ProcHoldsTheTimesThatWereMeasured) {
  sim::LockStat stat;
  stat.BeginExecution();
  stat.Acquire(sim::TaskId{1}, {.class_name = "i_rwsem", .instance = 1}, 0);
  stat.Release(sim::TaskId{1}, 1, 2500);
  EXPECT_TRUE(WriteLocks(sim::Validator(), &stat, {.proc = Path("proc")}).ok());
  EXPECT_THAT(Get("proc/lock_stat"), StartsWith("lock_stat version 0.4\n"));
  EXPECT_THAT(Get("proc/lock_stat"), HasSubstr("           1           2.50           2.50"));
  EXPECT_THAT(Get("proc/lockdep"), StartsWith("all lock classes:\n"));
}

TEST_F(LockdepCommandTest, JsonHasReportsSuppressionsAndDocumentedOrders) {
  const std::string bad = Put("bad", Nested("task-1", 'a', 'b') + Nested("task-2", 'b', 'a'));
  const std::string known =
      Put("known.json", R"({"schema": 1, "suppressions": [{"kind": "lock_cycle",
          "message": "&lock_a", "reason": "known"}]})");
  const std::string orders = Put("orders.json", kOrders);
  EXPECT_EQ(Crashdep({"lockdep", bad, "--suppress", known, "--order", orders, "--json",
                      Path("out.json")}),
            1);
  const auto json = nlohmann::json::parse(Get("out.json"));
  ASSERT_EQ(json["reports"].size(), 1u);
  EXPECT_EQ(json["reports"][0]["kind"], "lock_cycle");
  EXPECT_EQ(json["suppressions"][0]["count"], 1);
  EXPECT_EQ(json["documented_orders"]["orders"], "fs");
  EXPECT_EQ(json["documented_orders"]["contradictions"].size(), 1u);
  EXPECT_TRUE(json["documented_orders"]["contradictions"][0]["observed"].contains("held"));
  EXPECT_EQ(Crashdep({"lockdep", bad, "--json", Path("none/out.json")}), 2);
}

// Graphviz need not be there: a program that copies stands for it.
TEST_F(LockdepCommandTest, SvgIsWhatGraphvizDraws) {
  const std::string trace = Put("trace", Nested("task-1", 'a', 'b'));
  const std::string dot =
      Put("bin/dot", "#!/bin/sh\n[ \"$1$2\" = -Tsvg-o ] && cat \"$4\" >\"$3\"\n");
  std::filesystem::permissions(dot, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (Path("bin") + ":" + path).c_str(), 1);
  EXPECT_EQ(Crashdep({"lockdep", trace, "--svg", Path("graph.svg")}), 0);
  EXPECT_THAT(Get("graph.svg"), StartsWith("digraph G {"));
  EXPECT_FALSE(std::filesystem::exists(Path("graph.svg.dot")));
  setenv("PATH", Path("nowhere").c_str(), 1);
  EXPECT_EQ(Crashdep({"lockdep", trace, "--svg", Path("graph.svg")}), 2);
  EXPECT_THAT(err_, HasSubstr("no program \"dot\"; install Graphviz, or use --dot"));
  setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace tools
