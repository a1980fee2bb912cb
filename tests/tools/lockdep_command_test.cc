#include "tools/lockdep_command.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class LockdepCommandTest : public CommandTest {
 protected:
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

TEST_F(LockdepCommandTest, WhatIsNoTraceIsBadInput) {
  EXPECT_EQ(Crashdep({"lockdep", Put("trace", "hello\n")}), 2);
  EXPECT_EQ(err_, Path("trace") + ": no lock_acquire or lock_release event in it\n");
  EXPECT_EQ(Crashdep({"lockdep", directory_}), 2);
  EXPECT_EQ(Crashdep({"lockdep", Path("none")}), 2);
}

}  // namespace
}  // namespace tools
