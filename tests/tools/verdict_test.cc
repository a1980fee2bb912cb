#include "tools/verdict.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tools {
namespace {

using scenario::ExpectedFinding;
using scenario::FoundFinding;
using testing::ElementsAre;
using testing::IsEmpty;

const FoundFinding kDeadlock = {.kind = "deadlock", .message = "writer and commit wait"};
const FoundFinding kOtherDeadlock = {.kind = "deadlock", .message = "truncate waits"};
const FoundFinding kMetadata = {.kind = "metadata", .message = "block 7 is free and in use"};

TEST(VerdictTest, NothingExpectedAndNothingFoundPasses) {
  EXPECT_THAT(Differences({}, std::vector<FoundFinding>()), IsEmpty());
}

TEST(VerdictTest, TheSetOfKindsDecidesNotHowManyOfThem) {
  EXPECT_THAT(
      Differences({{"deadlock", ""}, {"metadata", ""}}, {kMetadata, kDeadlock, kOtherDeadlock}),
      IsEmpty());
}

TEST(VerdictTest, AMissingKindAndAnUnexpectedOneFail) {
  EXPECT_THAT(Differences({{"stale_data", ""}}, {kMetadata}),
              ElementsAre("expected stale_data, found none",
                          "unexpected metadata: block 7 is free and in use"));
}

TEST(VerdictTest, AMessageMustOccurInAFindingOfItsKind) {
  EXPECT_THAT(Differences({{"deadlock", "truncate"}}, {kDeadlock, kOtherDeadlock}), IsEmpty());
  EXPECT_THAT(
      Differences({{"deadlock", "block 7"}, {"metadata", ""}}, {kDeadlock, kMetadata}),
      ElementsAre("expected deadlock with \"block 7\" in its message, found none that has it"));
}

TEST(VerdictTest, TheTwinIsJudgedByItsOwnExpectation) {
  scenario::Expectation expect;
  expect.findings = {{"deadlock", ""}};
  expect.without_policy = std::vector<ExpectedFinding>();
  scenario::ScenarioResult broken;
  broken.findings = {kDeadlock};
  EXPECT_THAT(Differences(expect, broken, scenario::ScenarioResult()), IsEmpty());
  EXPECT_THAT(Differences(expect, broken, broken),
              ElementsAre("without its policy: unexpected deadlock: writer and commit wait"));
}

}  // namespace
}  // namespace tools
