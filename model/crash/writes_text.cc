#include "model/crash/writes_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/crash/fault_text.h"

namespace model {
namespace {

class WritesTeller {
 public:
  WritesTeller(const CrashScene& scene, const MinimalState& minimal)
      : scene_(scene), minimal_(minimal) {}

  std::string Text() {
    if (minimal_.lost.empty()) absl::StrAppend(&text_, "  lost:  nothing that was written\n");
    for (const sim::BioId bio : minimal_.lost) {
      Tell("lost: ", bio, Place(bio), WhyLost(bio),
           [&](uint64_t sector) { return IsLost(sector, bio); });
    }
    for (const sim::BioId bio : minimal_.needed) {
      Tell("there:", bio, Place(bio), "", [&](uint64_t sector) { return IsThere(sector, bio); });
    }
    if (const size_t others = Others(); others > 0) {
      absl::StrAppendFormat(
          &text_, "  %d other write%s not durable: it is the same with all of %s\n", others,
          others == 1 ? " is" : "s are",
          others == 1 ? "it there, and with it lost" : "them there, and with all of them lost");
    }
    TellLies();
    return std::move(text_);
  }

 private:
  // What the device has said to have written, and has not, or not there.
  void TellLies() {
    size_t untold = 0;
    for (sim::BioId id{0}; id.value < scene_.device.bios(); ++id.value) {
      const sim::DeviceFault* const fault = scene_.device.FaultOf(id);
      if (fault == nullptr || !Lies(fault->kind)) continue;
      if (told_lies_++ < kMostLies) {
        const sim::Bio& bio = scene_.device.bio(id);
        Tell("device lied:", id, {bio.sector, bio.contents}, LieText(id),
             [](uint64_t) { return true; });
      } else {
        ++untold;
      }
    }
    if (untold > 0) absl::StrAppendFormat(&text_, "  device lied: %d times more\n", untold);
  }
  sim::Landing Place(sim::BioId id) const { return scene_.device.LandingOf(id); }
  std::string LieText(sim::BioId id) const {
    const sim::Landing landing = Place(id);
    if (landing.contents.empty()) return "it says that this was written, and has lost it";
    return absl::StrFormat("it says that this was written there, and has written sectors [%d, %d)",
                           landing.sector, landing.end());
  }

  bool IsThere(uint64_t sector, sim::BioId bio) const {
    return absl::c_any_of(scene_.device.pending(sector), [&](const auto& version) {
      return version.bio == bio && version.content == minimal_.state[sector];
    });
  }
  bool IsLost(uint64_t sector, sim::BioId bio) const {
    bool later = scene_.device.durable(sector) == minimal_.state[sector];
    bool lost = false;
    for (const sim::PendingVersion& version : scene_.device.pending(sector)) {
      if (version.content == minimal_.state[sector]) {
        later = true;
        lost = false;
      } else if (later && version.bio == bio) {
        lost = true;
      }
    }
    return lost;
  }

  size_t Others() const {
    std::vector<sim::BioId> others = PresentIn(scene_.device, minimal_.state);
    std::erase_if(others, [&](sim::BioId bio) {
      return absl::c_linear_search(minimal_.needed, bio) ||
             absl::c_linear_search(minimal_.lost, bio);
    });
    return others.size();
  }

  static constexpr size_t kMostLies = 3;
  static constexpr const char* kIndent = "         ";
  void Line(const std::string& text) { absl::StrAppend(&text_, kIndent, text, "\n"); }

  template <class IsConcerned>
  void Tell(const char* fate, sim::BioId id, const sim::Landing& place, const std::string& why,
            IsConcerned is_concerned) {
    const sim::Bio& bio = scene_.device.bio(id);
    absl::StrAppendFormat(&text_, "  %s bio %d, %s%s, sectors [%d, %d)%s", fate, id.value, bio.what,
                          JournalText(bio), place.sector, place.end(), DeviceText(bio));
    std::vector<uint64_t> sectors;
    for (uint64_t sector = place.sector; sector < place.end(); ++sector) {
      if (is_concerned(sector)) sectors.push_back(sector);
    }
    if (sectors.size() < place.contents.size()) {
      absl::StrAppendFormat(&text_, " of which %d in [%d, %d)", sectors.size(), sectors.front(),
                            sectors.back() + 1);
    }
    absl::StrAppendFormat(&text_, ", by %s at %d ns\n", Submitter(bio), bio.submitted_at);
    if (!why.empty()) Line(why);
    if (!bio.operation.empty()) Line(absl::StrCat("for: ", std::string(bio.operation)));
    if (const std::string held = scene_.submissions.HeldBy(id); !held.empty()) {
      Line(absl::StrCat("holding ", held));
    }
    for (const sim::FrameSite* frame : scene_.world.stack_table().Frames(bio.stack)) {
      absl::StrAppendFormat(&text_, "%s  %s (%s:%d)\n", kIndent, frame->function, frame->site.file,
                            frame->site.line);
    }
  }

  // Which transaction's or whose copy it is, of a block of the journal.
  std::string JournalText(const sim::Bio& bio) const {
    if (KindOf(bio.contents.front()) != ContentKind::kImage) return "";
    const ImageId image = ImageOf(bio.contents.front());
    const Tid tid = SequenceOf(scene_.images.Get(image));
    if (tid != 0) return absl::StrCat(" of transaction ", tid);
    if (bio.sector == scene_.geometry.first_sector(scene_.geometry.journal())) return "";
    return absl::StrCat(" of the ", BlockName(scene_, scene_.images.PblkOf(image)));
  }
  // Of two devices that which is not the file system's.
  const char* DeviceText(const sim::Bio& bio) const {
    const Geometry& geometry = scene_.geometry;
    const bool on_journals =
        geometry.external_journal && geometry.InJournal(geometry.block_of_sector(bio.sector));
    return on_journals ? " of the journal's device" : "";
  }
  std::string Submitter(const sim::Bio& bio) const {
    return bio.submitter.valid() ? scene_.world.tasks()[bio.submitter.value]->name() : "an event";
  }
  std::string FlushText(sim::BioId id) const {
    const sim::Bio& flush = scene_.device.bio(id);
    return absl::StrFormat("the flush %sof bio %d (by %s at %d ns)",
                           flush.op == sim::Bio::Op::kFlush ? "" : "before the write ", id.value,
                           Submitter(flush), flush.submitted_at);
  }

  // Why it is not durable.
  std::string WhyLost(sim::BioId id) const {
    const sim::Bio& bio = scene_.device.bio(id);
    if (bio.completed_at < 0) return "on its way when the power was cut";
    const std::string completed = absl::StrFormat("complete at %d ns, ", bio.completed_at);
    const auto flushes = scene_.device.FlushesOf(id);
    if (flushes.covering.valid()) {
      return absl::StrCat(completed, FlushText(flushes.covering),
                          scene_.device.HasFlushed(flushes.covering)
                              ? " covers it, but the device ignores flushes"
                              : " is on its way");
    }
    if (flushes.too_early.valid()) {
      return absl::StrCat(completed, "too late for ", FlushText(flushes.too_early));
    }
    const bool ignored = bio.fua && scene_.device.config().ignore_fua;
    return absl::StrCat(completed,
                        ignored ? "but the device ignores FUA" : "and not flushed since");
  }

  const CrashScene& scene_;
  const MinimalState& minimal_;
  size_t told_lies_ = 0;
  std::string text_;
};

}  // namespace

std::string WritesText(const CrashScene& scene, const MinimalState& minimal) {
  return WritesTeller(scene, minimal).Text();
}

}  // namespace model
