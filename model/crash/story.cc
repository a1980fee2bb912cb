#include "model/crash/story.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace model {
namespace {

using What = CrashFault::What;

std::string FileName(const CrashScene& scene, FileKey key) {
  const History::File* file = scene.history.Find(key);
  return file != nullptr ? file->name : absl::StrFormat("inode %d", key.ino);
}

const char* SyncName(SyncKind kind) {
  static constexpr const char* kNames[] = {"fsync", "fdatasync", "sync"};
  return kNames[static_cast<int>(kind)];
}

const char* PromiseName(const CrashScene& scene, FileKey key) {
  return SyncName(scene.history.Find(key)->promise->kind);
}

std::string DamageText(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.damage) {
    case Damage::kFormerDisk:
      return "shows the disk's former contents";
    case Damage::kMetadataBlock:
      return "shows a metadata block";
    case Damage::kOtherFile:
      return absl::StrCat("shows data of ", FileName(scene, fault.other));
    case Damage::kOtherPlace:
      return "shows its own data from another place";
    case Damage::kTruncated:
      return "shows data that a truncate or a hole had removed";
    case Damage::kNeverZero:
      return "reads as zeros where there was only ever data";
    case Damage::kLost:
      return absl::StrCat("lost what ", PromiseName(scene, fault.file), " made durable");
    case Damage::kUnflushed:
      return "lacks data that the rename over another file had started to write";
    case Damage::kUnreadable:
      return "cannot be read";
  }
  return "";
}

// The block's name by what the metadata has at that place at any time.
std::string BlockName(const CrashScene& scene, Pblk pblk) {
  const Geometry& geometry = scene.geometry;
  if (pblk == geometry.journal()) return "journal superblock";
  if (pblk > geometry.journal() && pblk < geometry.first_data()) {
    return absl::StrCat("log's block ", pblk - geometry.journal());
  }
  if (pblk == geometry.superblock()) return "superblock";
  if (pblk == geometry.group_descriptors()) return "group descriptor block";
  if (pblk == geometry.block_bitmap()) return "block bitmap";
  if (pblk == geometry.inode_bitmap()) return "inode bitmap";
  if (pblk < geometry.root_directory()) return "inode table block";
  if (pblk == geometry.root_directory()) return "root directory's block";
  if (pblk == geometry.lost_found()) return "block of lost+found";
  return "extent node or directory block";
}

std::string ContentText(const CrashScene& scene, SectorContent content) {
  switch (KindOf(content)) {
    case ContentKind::kZero:
      return "zeros";
    case ContentKind::kUnreadable:
      return "nothing that the device can read";
    case ContentKind::kStale:
      return "what was there before mkfs";
    case ContentKind::kImage:
      return BlockContentName(scene.images.Get(ImageOf(content)));
    case ContentKind::kData: {
      const History::Write& write = scene.history.write(WriteOf(content));
      return absl::StrFormat("write %d: bytes %d on of %s", WriteOf(content),
                             uint64_t{GranuleIndexOf(content)} * kGranuleBytes,
                             FileName(scene, write.file));
    }
    case ContentKind::kMixed: {
      std::string text;
      for (const GranuleRun& run : scene.history.granules().Runs(content)) {
        absl::StrAppend(&text, text.empty() ? "" : "; ", "up to ", run.end_byte, " ",
                        ContentText(scene, run.content));
      }
      return text;
    }
  }
  return "";
}

// --- The transaction that matters ----------------------------------------------------------------

// From which transaction up to `last` on `holds(tid)` has been so without a break; kNever: not so
// at `last`.
template <class Holds>
Tid HoldsSince(Tid last, Holds holds) {
  Tid since = CommittedStates::kNever;
  for (Tid tid = last + 1; tid-- > 0 && holds(tid);) since = tid;
  return since;
}

const RecoveredFile* FileIn(const RecoveredTree& tree, FileKey key) {
  const auto file =
      absl::c_find_if(tree.files, [&](const RecoveredFile& found) { return found.key == key; });
  return file != tree.files.end() ? &*file : nullptr;
}

// What made the bytes be read, and read from there.
std::string CarrierOfBytes(const CrashScene& scene, const Outcome& outcome,
                           const CrashFault& fault) {
  const std::string name = FileName(scene, fault.file);
  if (fault.pblk != 0) {
    const auto copy = absl::c_find_if(
        outcome.copies, [&](const LogCopy& found) { return found.blocknr == fault.pblk; });
    return absl::StrFormat("transaction %d has a copy of block %d, now part of %s, in the log",
                           copy->tid, fault.pblk, name);
  }
  if (!fault.witnesses.empty()) {
    const Pblk pblk = scene.geometry.block_of_sector(fault.witnesses.front().sector);
    const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
      const RecoveredTree& tree = scene.states.Tree(tid);
      const BlockUse& use = tree.blocks[pblk];
      return use.kind == BlockUse::Kind::kData && tree.files[use.file].key == fault.file;
    });
    if (since == 0) return absl::StrFormat("block %d was part of %s before the run", pblk, name);
    return absl::StrFormat("transaction %d makes block %d readable, as part of %s", since, pblk,
                           name);
  }
  const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
    const RecoveredFile* file = FileIn(scene.states.Tree(tid), fault.file);
    return file != nullptr && file->size_bytes >= fault.end;
  });
  if (since == 0) return absl::StrFormat("%s had that size before the run", name);
  return absl::StrFormat("transaction %d raises the size of %s to %d or more", since, name,
                         fault.end);
}

// What has the file as it was promised, and is not recovered.
std::string CarrierOfPromise(const CrashScene& scene, Tid recovered, const CrashFault& fault) {
  const std::string name = FileName(scene, fault.file);
  for (Tid tid = recovered + 1; tid <= scene.states.last(); ++tid) {
    const RecoveredFile* file = FileIn(scene.states.Tree(tid), fault.file);
    if (file == nullptr || file->size_bytes < fault.end) continue;
    return absl::StrFormat("transaction %d has %s as it was promised, and is not recovered", tid,
                           name);
  }
  return absl::StrFormat("no transaction written so far has %s as it was promised", name);
}

std::string CarrierOfBlock(const CrashScene& scene, const Outcome& outcome,
                           const CrashFault& fault) {
  if (fault.what == What::kTornCopy) {
    for (const LogCopy& copy : outcome.copies) {
      const uint64_t sector = scene.geometry.first_sector(copy.log_pblk);
      if (copy.blocknr != fault.pblk || fault.witnesses.front().sector < sector ||
          fault.witnesses.front().sector >= sector + scene.geometry.sectors_per_block()) {
        continue;
      }
      return absl::StrFormat("the copy is part of transaction %d", copy.tid);
    }
    return "";
  }
  const MetadataImages& state = scene.states.Images(outcome.recovered);
  if (fault.what == What::kHomeOld) {
    const auto wanted = state.find(fault.pblk);
    const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
      const auto image = scene.states.Images(tid).find(fault.pblk);
      return image != scene.states.Images(tid).end() && image->second == wanted->second;
    });
    return absl::StrFormat("transaction %d changes block %d", since, fault.pblk);
  }
  if (fault.what != What::kHomeNew) return "";
  const ImageId image = ImageOf(fault.witnesses.front().content);
  for (Tid tid = outcome.recovered + 1; tid <= scene.states.last(); ++tid) {
    const auto found = scene.states.Images(tid).find(fault.pblk);
    if (found == scene.states.Images(tid).end() || found->second != image) continue;
    return absl::StrFormat("transaction %d, which is not recovered, changes block %d", tid,
                           fault.pblk);
  }
  return absl::StrFormat("a transaction that has not committed changes block %d", fault.pblk);
}

std::string CarrierText(const CrashScene& scene, const Outcome& outcome, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return CarrierOfBytes(scene, outcome, fault);
    case What::kShort:
    case What::kMissing:
    case What::kOldName:
      return CarrierOfPromise(scene, outcome.recovered, fault);
    case What::kTornCopy:
    case What::kHomeOld:
    case What::kHomeNew:
      return CarrierOfBlock(scene, outcome, fault);
    case What::kHomeForeign:
    case What::kMetadata:
    case What::kName:
    case What::kRecovery:
    case What::kUnreadable:
      return "";
  }
  return "";
}

// --- The rule ------------------------------------------------------------------------------------

// What was to be seen there has been written since by somebody who should have waited.
bool IsOvertaken(const CrashScene& scene, const CrashFault& fault) {
  if (fault.witnesses.empty()) return false;
  const Witness& witness = fault.witnesses.front();
  return absl::c_any_of(
      scene.device.pending(witness.sector),
      [&](const sim::PendingVersion& version) { return version.content == witness.content; });
}

constexpr char kRenameRule[] =
    "a rename over a file first has what is delayed of the new one allocated, as ordered data of a "
    "transaction that commits with the rename or before";
constexpr const char* kDeviceReads = "a device can read what it has said to have written";

const char* RuleOfBytes(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.damage) {
    case Damage::kFormerDisk:
    case Damage::kOtherFile:
    case Damage::kOtherPlace:
      return IsOvertaken(scene, fault)
                 ? "a block that a transaction frees is written for somebody else only once that "
                   "transaction has committed"
                 : "a transaction that makes a block readable commits only once the block's data "
                   "is "
                   "on the device";
    case Damage::kMetadataBlock:
      return "a block that was metadata is revoked when it is freed, and not replayed over what it "
             "holds then";
    case Damage::kTruncated:
      return "what a committed truncate or hole has removed never shows again: the rest of its "
             "last block "
             "is zeroed on the device";
    case Damage::kNeverZero:
      return "a committed size covers appended bytes only once these are on the device";
    case Damage::kLost:
      return "what a sync has found written is durable when it returns: written, and flushed";
    case Damage::kUnflushed:
      return kRenameRule;
    case Damage::kUnreadable:
      return kDeviceReads;
  }
  return "";
}

const char* RuleText(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return RuleOfBytes(scene, fault);
    case What::kShort:
      if (fault.damage == Damage::kUnflushed) return kRenameRule;
      [[fallthrough]];
    case What::kMissing:
    case What::kOldName:
      return "name and size are durable when a sync returns: it waits for the commit";
    case What::kTornCopy:
      return "a commit record is written only once all that its transaction has in the log is "
             "durable";
    case What::kHomeOld:
      return "the tail of the log passes a transaction only once its blocks are durable at home";
    case What::kHomeNew:
      return "a block is written home only once the transaction that changed it has committed";
    case What::kHomeForeign:
      return "a metadata block in use is overwritten with nothing else";
    case What::kName:
      return "all that an operation changes in a directory is part of one transaction";
    case What::kMetadata:
      return "each transaction takes sound metadata to sound metadata";
    case What::kRecovery:
      return "recovery flushes what it has written home before it marks the log empty";
    case What::kUnreadable:
      return kDeviceReads;
  }
  return "";
}

// --- The writes ----------------------------------------------------------------------------------

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
    absl::StrAppendFormat(&text_, "  %s bio %d, %s%s, sectors [%d, %d)", fate, id.value, bio.what,
                          JournalText(bio), place.sector, place.end());
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

std::string LogText(const Outcome& outcome) {
  if (outcome.fails_at != 0) {
    return absl::StrFormat("recovery fails at block %d: nothing is mounted\n", outcome.fails_at);
  }
  if (outcome.recovered < outcome.first) {
    return absl::StrFormat("the log is empty after transaction %d\n", outcome.recovered);
  }
  return absl::StrFormat("recovery replays transactions %d to %d\n", outcome.first,
                         outcome.recovered);
}

}  // namespace

const char* FindingKindOf(const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      if (fault.damage == Damage::kUnreadable) return "unreadable";
      return IsStale(fault.damage) ? "stale_data" : "lost_data";
    case What::kShort:
    case What::kMissing:
    case What::kOldName:
      return "lost_data";
    case What::kName:
    case What::kTornCopy:
    case What::kHomeOld:
    case What::kHomeNew:
    case What::kRecovery:
      return "torn_operation";
    case What::kHomeForeign:
    case What::kMetadata:
      return "metadata";
    case What::kUnreadable:
      return "unreadable";
  }
  return "";
}

std::string MessageOf(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return absl::StrFormat("%s[%d,%d) %s", FileName(scene, fault.file), fault.begin, fault.end,
                             DamageText(scene, fault));
    case What::kShort:
      if (fault.damage == Damage::kUnflushed) {
        return absl::StrFormat("%s is shorter than the rename over another file had promised",
                               FileName(scene, fault.file));
      }
      return absl::StrFormat("%s is shorter than %s made durable", FileName(scene, fault.file),
                             PromiseName(scene, fault.file));
    case What::kMissing:
      return absl::StrFormat("%s is gone although %s had made it durable",
                             FileName(scene, fault.file), PromiseName(scene, fault.file));
    case What::kOldName:
      return absl::StrFormat("%s has not the name that %s had made durable",
                             FileName(scene, fault.file), PromiseName(scene, fault.file));
    case What::kTornCopy:
      return absl::StrFormat("the log has a commit record, but not its copy of the %s",
                             BlockName(scene, fault.pblk));
    case What::kHomeOld:
      return absl::StrFormat("the %s lacks a committed change, and the log no longer has it",
                             BlockName(scene, fault.pblk));
    case What::kHomeNew:
      return absl::StrFormat("the %s has a change of which the transaction is not recovered",
                             BlockName(scene, fault.pblk));
    case What::kHomeForeign:
      return absl::StrFormat("the %s is overwritten with something else",
                             BlockName(scene, fault.pblk));
    case What::kUnreadable:
      return absl::StrFormat("the %s cannot be read", BlockName(scene, fault.pblk));
    case What::kMetadata:
    case What::kName:
      return fault.metadata.message;
    case What::kRecovery:
      return "recovery that was interrupted gives something else when run again";
  }
  return "";
}

std::string IdentityOf(const CrashScene& scene, const CrashFault& fault) {
  if (fault.what != What::kFile)
    return absl::StrCat(FindingKindOf(fault), ":", MessageOf(scene, fault));
  return absl::StrCat(FindingKindOf(fault), ":", FileName(scene, fault.file), " ",
                      DamageText(scene, fault));
}

std::string DetailOf(const CrashScene& scene, const CrashFault& fault,
                     const MinimalState& minimal) {
  std::string text =
      absl::StrCat("After a power cut at ", scene.world.now(), " ns, ", LogText(minimal.outcome));
  if (fault.what == What::kShort) {
    absl::StrAppendFormat(&text, "  size is %d, promised %d\n", fault.begin, fault.end);
  }
  if (!fault.metadata.detail.empty()) absl::StrAppend(&text, "  ", fault.metadata.detail, "\n");
  if (!fault.witnesses.empty()) {
    const Witness& witness = fault.witnesses.front();
    absl::StrAppendFormat(&text, "  sector %d holds %s\n", witness.sector,
                          ContentText(scene, witness.content));
  }
  const std::string carrier = CarrierText(scene, minimal.outcome, fault);
  if (!carrier.empty()) absl::StrAppend(&text, "  ", carrier, "\n");
  absl::StrAppend(&text, WritesTeller(scene, minimal).Text());
  return absl::StrCat(text, "  rule:  ", RuleText(scene, fault), "\n");
}

}  // namespace model
