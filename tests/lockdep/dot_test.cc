#include "sim/lockdep/dot.h"

#include <array>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DotTest : public ::testing::Test, public LockStory {
 protected:
  std::string Dot() const {
    constexpr std::array<std::string_view, 1> kUnseen = {"folio"};
    return RenderDot(validator, kUnseen);
  }
};

TEST_F(DotTest, WithoutACycleTheWholeGraphIsShown) {
  Nest("t", {"A", "B", "folio lock"});
  EXPECT_EQ(Dot(),
            "digraph G {\n"
            "node [fontname=\"Helvetica\" fontsize=11 shape=box]\n"
            "edge [fontname=\"Helvetica\" fontsize=9 color=\"#707070\"]\n"
            "0[label=\"A\\n+.+.\"];\n"
            "1[label=\"B\\n+.+.\"];\n"
            "2[label=\"folio lock\\n+.+.\" style=\"filled\" fillcolor=\"#cfe2f3\"];\n"
            "0->1 [tooltip=\"EN\\nt/1 at story.cc:2\"];\n"
            "1->2 [tooltip=\"EN\\nt/1 at story.cc:3\"];\n"
            "}\n");
}

TEST_F(DotTest, WithACycleItsLocksAndTheirEdgesAreShown) {
  Nest("t", {"A", "B"});
  Nest("t", {"A", "C"});
  Nest("u", {"B", "A"}, ReadMode::kShared);
  const std::string dot = Dot();
  EXPECT_THAT(dot, Not(HasSubstr("label=\"C")));
  EXPECT_THAT(dot, AllOf(HasSubstr("#1 SN\\nu/2 at story.cc:10"), HasSubstr("#2 EN\\nt/1"),
                         HasSubstr("color=red")));
}

TEST_F(DotTest, KindsOfLocksHaveShapes) {
  traits = kSpinLock;
  Nest("t", {"spin"});
  traits = {};
  Nest("t", {"event"});
  EXPECT_THAT(Dot(), HasSubstr("label=\"spin\\n+.+.\" style=\"rounded\"]"));
  EXPECT_THAT(Dot(), HasSubstr("label=\"event\\n+.+.\" shape=ellipse]"));
}

}  // namespace
}  // namespace sim
