// e2fsck, libext2fs and, where it lets us, the running kernel see in the images what we predict.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/campaign.h"

namespace differential {
namespace {

TEST(DifferentialTest, OthersAgreeOnEveryState) {
  std::string directory = testing::TempDir() + "crashdep-differential-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const CampaignOptions options{.seed = 1, .states = 300, .directory = directory};
  const CampaignResult result = RunCampaign(options);
  std::cout << Summary(result);
  EXPECT_THAT(result.disagreements, testing::IsEmpty());
  // Otherwise it would say little.
  EXPECT_GT(result.sound, 150u);
  EXPECT_GT(result.states - result.sound, 30u);
  EXPECT_GT(result.replayed, 100u);
  EXPECT_GT(result.orphans, 3u);
  EXPECT_GT(result.external, 20u);
  if (result.disagreements.empty()) std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace differential
