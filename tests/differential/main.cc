// differential DIRECTORY [STATES [SEED]]: campaigns of any size, of images and of logs of a tenth
// as many scenarios; exit code 1 if anything disagrees.
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "tests/differential/campaign.h"
#include "tests/differential/log_campaign.h"

int main(int argc, char** argv) {
  differential::CampaignOptions options;
  const bool usable = argc >= 2 && argc <= 4 &&
                      (argc < 3 || absl::SimpleAtoi(argv[2], &options.states)) &&
                      (argc < 4 || absl::SimpleAtoi(argv[3], &options.seed));
  if (!usable) {
    std::cerr << "usage: differential DIRECTORY [STATES [SEED]]\n";
    return 2;
  }
  options.directory = argv[1];
  const differential::CampaignResult result = RunCampaign(options);
  std::cout << Summary(result) << std::flush;
  differential::LogResult logs;
  CompareRandomLogs(options.seed, options.states / 10, logs);
  std::cout << Summary(logs);
  return result.disagreements.empty() && logs.disagreements.empty() ? 0 : 1;
}
