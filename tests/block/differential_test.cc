// The device against a naive one, which follows every medium that there could be.
//
// The oracle knows nothing of versions and pending sets. It has a cache, and a set of possible
// media; at any moment a dirty sector may be written out, and a sector of a write in flight may
// reach the medium by itself. A flush throws out the media on which something was not written out.

#include <array>
#include <map>

#include "sim/engine/random.h"
#include "tests/block/device_fixture.h"

namespace sim {
namespace {

constexpr size_t kSectors = 3;

class NaiveDevice {
 public:
  explicit NaiveDevice(const DeviceConfig& config) : config_(config) {
    media_.insert(Medium(kSectors));
  }

  void Submit(BioId id, const Bio& bio) {
    Request& request = requests_[id];
    request.sector = bio.sector;
    request.contents.assign(bio.contents.begin(), bio.contents.end());
    request.fua = bio.fua;
    request.flushing = bio.op == Bio::Op::kFlush || (bio.preflush && config_.volatile_cache);
    request.cache_then = cache_;
    Spread();
  }

  // `written`: how many sectors the device wrote.
  void Complete(BioId id, size_t written) {
    Request request = requests_[id];
    requests_.erase(id);
    if (request.flushing) {
      if (!config_.ignore_flush) KeepFlushed(request.cache_then);
      request.flushing = false;
      if (!request.contents.empty()) requests_[id] = request;
    } else {
      FinishWrite(request, written);
    }
    Spread();
  }

  SectorContent Current(uint64_t sector) const { return cache_.at(sector).content; }

  std::set<std::vector<SectorContent>> Media() const {
    std::set<std::vector<SectorContent>> media;
    for (const Medium& medium : media_) {
      std::vector<SectorContent> contents;
      for (const MediumSector& sector : medium) contents.push_back(sector.content);
      media.insert(contents);
    }
    return media;
  }

 private:
  struct CacheSector {
    SectorContent content = 0;
    int age = 0;  // grows with each completed write
  };
  using Cache = std::array<CacheSector, kSectors>;
  struct MediumSector {
    SectorContent content = 0;
    int written_out = 0;  // age of the newest completed write that was ever here
    auto operator<=>(const MediumSector&) const = default;
  };
  using Medium = std::vector<MediumSector>;
  struct Request {
    uint64_t sector = 0;
    std::vector<SectorContent> contents;
    bool fua = false;
    bool flushing = false;
    Cache cache_then;  // when it was submitted
  };

  void KeepFlushed(const Cache& flushed) {
    std::erase_if(media_, [&](const Medium& medium) {
      for (size_t i = 0; i < kSectors; ++i) {
        if (medium[i].written_out < flushed.at(i).age) return true;
      }
      return false;
    });
  }

  void FinishWrite(const Request& request, size_t written) {
    const bool failed = written < request.contents.size();
    for (size_t i = 0; i < request.contents.size(); ++i) {
      const size_t sector = request.sector + i;
      if (i < written) {
        cache_.at(sector) = {request.contents[i], ++age_};
      } else {
        std::erase_if(media_, [&](const Medium& medium) {
          return medium[sector].content == request.contents[i];
        });
      }
    }
    if (config_.volatile_cache && (!request.fua || failed || config_.ignore_flush)) return;
    Spread();
    std::erase_if(media_, [&](const Medium& medium) {
      for (size_t i = 0; i < written; ++i) {
        const size_t sector = request.sector + i;
        if (medium[sector].written_out < cache_.at(sector).age) return true;
      }
      return false;
    });
  }

  // Adds every medium that can be reached from those there are without a completion.
  void Spread() {
    std::vector<Medium> todo(media_.begin(), media_.end());
    const auto reach = [&](const Medium& medium) {
      if (media_.insert(medium).second) todo.push_back(medium);
    };
    while (!todo.empty()) {
      const Medium from = todo.back();
      todo.pop_back();
      for (size_t i = 0; i < kSectors; ++i) {
        if (from[i].written_out == cache_.at(i).age) continue;
        Medium to = from;
        to[i] = {cache_.at(i).content, cache_.at(i).age};
        reach(to);
      }
      for (const auto& [id, request] : requests_) {
        if (request.flushing) continue;
        for (size_t i = 0; i < request.contents.size(); ++i) {
          Medium to = from;
          to[request.sector + i].content = request.contents[i];
          reach(to);
        }
      }
    }
  }

  DeviceConfig config_;
  Cache cache_ = {};
  int age_ = 0;
  std::set<Medium> media_;
  std::map<BioId, Request> requests_;
};

// All combinations of what the device says each sector may hold.
std::set<std::vector<SectorContent>> Product(const DeviceRig& rig) {
  std::set<std::vector<SectorContent>> media = {{}};
  for (size_t sector = 0; sector < kSectors; ++sector) {
    std::set<std::vector<SectorContent>> longer;
    for (std::vector<SectorContent> medium : media) {
      medium.push_back(0);
      for (const SectorContent content : rig.MayHold(sector)) {
        medium.back() = content;
        longer.insert(medium);
      }
    }
    media = std::move(longer);
  }
  return media;
}

class DifferentialTest : public testing::TestWithParam<int> {
 protected:
  static DeviceConfig RandomConfig(RandomStream& random) {
    DeviceConfig config{.size_sectors = kSectors};
    config.volatile_cache = !random.OneIn(5);
    config.ignore_flush = random.OneIn(5);
    if (random.OneIn(3)) {
      config.faults = {{.kind = random.OneIn(2) ? DeviceFault::Kind::kWriteError
                                                : DeviceFault::Kind::kShortWrite,
                        .nth = 1 + random.UniformBelow(3)}};
    }
    return config;
  }

  Bio RandomBio(RandomStream& random) {
    if (random.OneIn(4)) return MakeFlush();
    Bio bio;
    bio.sector = random.UniformBelow(kSectors);
    const uint64_t size = 1 + random.UniformBelow(kSectors - bio.sector);
    for (uint64_t i = 0; i < size; ++i) bio.contents.push_back(++last_content_);
    bio.fua = random.OneIn(4);
    bio.preflush = random.OneIn(4);
    bio.is_data = true;
    return bio;
  }

  SectorContent last_content_ = 0;
};

TEST_P(DifferentialTest, SetsOfStatesAreThoseOfTheNaiveDevice) {
  RandomStream random(static_cast<uint64_t>(GetParam()), "differential_test");
  const DeviceConfig config = RandomConfig(random);
  DeviceRig rig(config);
  NaiveDevice naive(config);
  rig.Run([&] {
    std::vector<BioId> in_flight;
    uint64_t writes = 0;
    std::map<BioId, size_t> written;
    for (int step = 0; step < 12; ++step) {
      if (in_flight.size() < 3 && (in_flight.empty() || random.OneIn(2))) {
        Bio bio = RandomBio(random);
        size_t size = bio.contents.size();
        if (size != 0 && !config.faults.empty() && ++writes == config.faults[0].nth) {
          size = config.faults[0].kind == DeviceFault::Kind::kShortWrite ? size / 2 : 0;
        }
        const BioId id = rig.Submit(std::move(bio));
        written[id] = size;
        naive.Submit(id, rig.device().bio(id));
        in_flight.push_back(id);
      } else {
        const size_t at = random.UniformBelow(in_flight.size());
        const BioId id = in_flight[at];
        rig.Complete(id);
        naive.Complete(id, written[id]);
        if (rig.HasEnded(id)) in_flight.erase(in_flight.begin() + static_cast<ptrdiff_t>(at));
      }
      ASSERT_EQ(Product(rig), naive.Media()) << "step " << step;
      for (uint64_t sector = 0; sector < kSectors; ++sector) {
        ASSERT_EQ(rig.device().current(sector), naive.Current(sector)) << "step " << step;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Histories, DifferentialTest, testing::Range(0, 300));

}  // namespace
}  // namespace sim
