// Images of random crash states of random scenarios, and whether others agree with what we say of
// them: for sound metadata, e2fsck has nothing to say once the journal is replayed and orphans are
// cleaned up, and each file has the size, the extents and, granule by granule, the contents
// predicted; for unsound metadata it complains.
//
// Two of three scenarios follow the rules; the third breaks one that spoils metadata, or is on a
// device that lies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace differential {

struct CampaignOptions {
  uint64_t seed = 1;
  uint64_t states = 300;
  std::string directory;  // for images; those disagreed upon are left there
  bool kernel = true;     // every fourth state also through a mount, where that is possible
};

struct CampaignResult {
  uint64_t states = 0;
  uint64_t sound = 0;
  uint64_t replayed = 0;  // whose journal had something to replay
  uint64_t orphans = 0;   // with something on the orphan list
  uint64_t wrapped = 0;   // whose log wraps on disk
  uint64_t external = 0;  // replayed from a device of its own
  uint64_t mounted = 0;   // also compared through a mount
  std::string why_not_mounted;
  std::vector<std::string> disagreements;  // one line each
};

// Stops after the tenth disagreement.
CampaignResult RunCampaign(const CampaignOptions& options);

// For people: what was done, and whether anything disagreed.
std::string Summary(const CampaignResult& result);

}  // namespace differential
