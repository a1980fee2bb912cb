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
    Medium medium(kSectors);
    for (size_t sector = 0; sector < kSectors; ++sector) {
      if (!IsFailing(sector)) continue;
      medium[sector].content = kUnreadable;
      cache_.at(sector).content = kUnreadable;
    }
    media_.insert(medium);
  }

  // `fault`: of a write, what happens to it; may be null.
  void Submit(BioId id, const Bio& bio, const DeviceFault* fault) {
    Request& request = requests_[id];
    const bool lost = fault != nullptr && fault->kind == DeviceFault::Kind::kLostWrite;
    const bool elsewhere = fault != nullptr && fault->kind == DeviceFault::Kind::kMisdirectedWrite;
    const uint64_t first = elsewhere ? fault->lands_at : bio.sector;
    request.writes = !bio.contents.empty();
    request.fails = fault != nullptr && !lost && !elsewhere;
    for (size_t i = 0; i < bio.contents.size() && !lost; ++i) {
      if (first + i >= kSectors || !OnOneDevice(first, first + i)) continue;
      if (IsFailing(first + i)) continue;
      const bool shortened = request.fails && (fault->kind == DeviceFault::Kind::kWriteError ||
                                               i >= bio.contents.size() / 2);
      request.parts.push_back({first + i, bio.contents[i], !shortened});
    }
    request.fua = bio.fua;
    request.flushing = bio.op == Bio::Op::kFlush || (bio.preflush && config_.volatile_cache);
    request.cache_then = cache_;
    request.sector = bio.sector;
    Spread();
  }

  void Complete(BioId id) {
    Request request = requests_[id];
    requests_.erase(id);
    if (request.flushing) {
      if (!config_.ignore_flush) KeepFlushed(request.sector, request.cache_then);
      request.flushing = false;
      if (request.writes) requests_[id] = request;
    } else {
      FinishWrite(request);
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
  struct Part {
    uint64_t sector = 0;
    SectorContent content = 0;
    bool succeeds = true;
  };
  struct Request {
    bool writes = false;
    std::vector<Part> parts;
    bool fails = false;
    bool fua = false;
    bool flushing = false;
    uint64_t sector = 0;
    Cache cache_then;  // when it was submitted
  };

  bool OnOneDevice(uint64_t one, uint64_t other) const {
    return (one < config_.second_device) == (other < config_.second_device);
  }

  // Of the device with `sector`.
  void KeepFlushed(uint64_t sector, const Cache& flushed) {
    std::erase_if(media_, [&](const Medium& medium) {
      for (size_t i = 0; i < kSectors; ++i) {
        if (!OnOneDevice(i, sector)) continue;
        if (medium[i].written_out < flushed.at(i).age) return true;
      }
      return false;
    });
  }

  bool IsFailing(uint64_t sector) const {
    for (const DeviceFault& fault : config_.faults) {
      if (fault.kind == DeviceFault::Kind::kFailingSector && fault.sector == sector) return true;
    }
    return false;
  }

  void FinishWrite(const Request& request) {
    for (const Part& part : request.parts) {
      if (part.succeeds) {
        cache_.at(part.sector) = {part.content, ++age_};
      } else {
        std::erase_if(media_, [&](const Medium& medium) {
          return medium[part.sector].content == part.content;
        });
      }
    }
    const bool through = request.fua && !request.fails && config_.honours_fua();
    if (config_.volatile_cache && !through) return;
    Spread();
    std::erase_if(media_, [&](const Medium& medium) {
      for (const Part& part : request.parts) {
        if (!part.succeeds) continue;
        if (medium[part.sector].written_out < cache_.at(part.sector).age) return true;
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
        for (const Part& part : request.parts) {
          Medium to = from;
          to[part.sector].content = part.content;
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
    config.second_device = random.UniformBelow(kSectors);
    config.volatile_cache = !random.OneIn(5);
    config.ignore_flush = random.OneIn(5);
    config.ignore_fua = random.OneIn(5);
    if (random.OneIn(3)) {
      config.faults = {{.kind = static_cast<DeviceFault::Kind>(random.UniformBelow(4)),
                        .nth = 1 + random.UniformBelow(3),
                        .lands_at = random.UniformBelow(kSectors)}};
    }
    if (random.OneIn(4)) {
      config.faults.push_back(
          {.kind = DeviceFault::Kind::kFailingSector, .sector = random.UniformBelow(kSectors)});
    }
    return config;
  }

  Bio RandomBio(RandomStream& random, uint64_t second_device) {
    Bio bio = MakeFlush();
    bio.sector = random.UniformBelow(kSectors);
    if (random.OneIn(4)) return bio;
    bio.op = Bio::Op::kWrite;
    const uint64_t end = bio.sector < second_device ? second_device : kSectors;
    const uint64_t size = 1 + random.UniformBelow(end - bio.sector);
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
    for (int step = 0; step < 12; ++step) {
      if (in_flight.size() < 3 && (in_flight.empty() || random.OneIn(2))) {
        Bio bio = RandomBio(random, config.second_device);
        const bool hit = !bio.contents.empty() && !config.faults.empty() &&
                         ++writes == config.faults.front().nth;
        const BioId id = rig.Submit(std::move(bio));
        naive.Submit(id, rig.device().bio(id), hit ? &config.faults.front() : nullptr);
        in_flight.push_back(id);
      } else {
        const size_t at = random.UniformBelow(in_flight.size());
        const BioId id = in_flight[at];
        rig.Complete(id);
        naive.Complete(id);
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
