#include "model/recorded/recording_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/recorded/medium.h"
#include "model/recorded/promises.h"
#include "model/recorded/recovered_states.h"
#include "sim/check.h"

namespace model {
namespace {

// A unit of a file, below its size.
struct FileUnit {
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;
  uint64_t unit = 0;
};

template <class Use>
void EachUnit(const RecoveredFileOnDisk& file, uint32_t unit_bytes, Use use) {
  for (const FileExtent& extent : file.extents) {
    const uint64_t end = std::min(extent.file_bytes + extent.size_bytes, file.size_bytes);
    for (uint64_t at = extent.file_bytes; at < end; at += unit_bytes) {
      use(FileUnit{at, std::min<uint64_t>(unit_bytes, end - at),
                   (extent.device_bytes + at - extent.file_bytes) / unit_bytes});
    }
  }
}

// Wrong bytes of a file, next to each other, and the units that show them.
struct WrongRange {
  WrongBytes wrong;
  std::vector<Pin> units;
};

class RecordingChecker {
 public:
  RecordingChecker(std::string_view base, const Recording& recording,
                   const RecordingOptions& options, FileSystemLayout layout)
      : recording_(recording),
        options_(options),
        layout_(std::move(layout)),
        contents_(options.unit_bytes),
        medium_(contents_, base.substr(0, layout_.size_bytes)),
        reader_(contents_, layout_.size_bytes),
        marks_(FindMarks(recording, layout_.size_bytes)) {
    result_.block_bytes = layout_.journal.block_bytes;
    result_.blocks = layout_.size_bytes / result_.block_bytes;
    result_.journal_blocks = static_cast<uint32_t>(layout_.journal.blocks.size());
    result_.marks = marks_.size();
    result_.entries = recording.entries.size();
    for (const uint64_t block : layout_.journal.blocks) {
      for (uint32_t i = 0; i < UnitsPerBlock(); ++i) {
        decides_log_.insert(block * UnitsPerBlock() + i);
      }
    }
    const SuperblockUnits super(options.unit_bytes);
    for (uint32_t i = 0; i < super.count; ++i) decides_log_.insert(super.first + i);
    for (uint32_t i = 0; i < recording.entries.size(); ++i) IndexWrites(i);
  }

  absl::StatusOr<RecordingResult> Run() {
    if (absl::Status status = JudgeAll(); !status.ok()) return status;
    for (uint32_t i = 0; i < recording_.entries.size(); ++i) {
      const RecordedEntry& entry = recording_.entries[i];
      if (entry.flush) ++result_.flushes;
      if (entry.size_bytes != 0 && entry.offset_bytes < layout_.size_bytes) ++result_.writes;
      medium_.Submit(entry, i);
      point_ = {i + 1, entry.fua};
      log_changed_ |= entry.flush || DecidesLog(entry);
      if (entry.fua) {
        if (absl::Status status = JudgeAll(); !status.ok()) return At(i, status);
        medium_.Complete(entry);
        point_.fua_in_flight = false;
        log_changed_ = true;
      }
      if (absl::Status status = TakeMark(i); !status.ok()) return At(i, status);
      if (absl::Status status = JudgeAll(); !status.ok()) return At(i, status);
    }
    result_.file_systems = reader_.file_systems();
    return std::move(result_);
  }

 private:
  using FindingKey = std::tuple<std::string, std::string, std::string>;

  uint32_t UnitsPerBlock() const { return layout_.journal.block_bytes / options_.unit_bytes; }

  static absl::Status At(uint32_t entry, const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("entry ", entry, ": ", status.message()));
  }

  template <class Use>
  void EachUnitOf(const RecordedEntry& entry, Use use) const {
    const uint64_t first = entry.offset_bytes / options_.unit_bytes;
    const uint64_t count = entry.size_bytes / options_.unit_bytes;
    for (uint64_t unit = first; unit < std::min(first + count, medium_.units()); ++unit) use(unit);
  }

  void IndexWrites(uint32_t number) {
    EachUnitOf(recording_.entries[number],
               [&](uint64_t unit) { writers_[unit].push_back(number); });
  }

  bool DecidesLog(const RecordedEntry& entry) const {
    bool decides = false;
    EachUnitOf(entry, [&](uint64_t unit) { decides |= decides_log_.contains(unit); });
    return decides;
  }

  // --- Marks ----------------------------------------------------------------------------------

  absl::Status TakeMark(uint32_t entry) {
    if (next_mark_ == marks_.size() || marks_[next_mark_].entry != entry) return absl::OkStatus();
    const size_t number = next_mark_++;
    const PromisedFiles promised(marks_[number]);
    if (!promised.any()) return absl::OkStatus();
    const NewestContents newest(medium_);
    const auto outcomes = ScanLog(newest, contents_, layout_.journal);
    if (!outcomes.ok()) return outcomes.status();
    const RecoveredSets sets(newest, outcomes->front());
    const bool all =
        reader_.EachFileSystem(sets, [&](const RecoveredFileSystem& fs, const std::vector<Pin>&) {
          MakePromises(number, promised, sets, fs);
        });
    return all ? absl::OkStatus() : absl::InternalError("one state is several");
  }

  void MakePromises(size_t number, const PromisedFiles& promised, const UnitSets& sets,
                    const RecoveredFileSystem& fs) {
    const RecordedMark& mark = marks_[number];
    const auto make = [&](const std::string& path, std::optional<std::string> bytes) {
      const uint32_t to =
          EndOfPromise(marks_, number, path, static_cast<uint32_t>(recording_.entries.size()));
      promises_.push_back({path, std::move(bytes), mark.text, mark.entry + 1, to});
      ++result_.promises;
    };
    bool is_there = false;
    for (const RecoveredFileOnDisk& file : fs.files) {
      if (!promised.Covers(file.path)) continue;
      is_there = true;
      std::optional<std::string> bytes;
      if (promised.with_contents()) bytes = NewestBytes(sets, file);
      if (bytes && !promised.path().empty() && promised.size_bytes()) {
        bytes->resize(*promised.size_bytes());
      }
      make(file.path, std::move(bytes));
    }
    if (!is_there && promised.with_contents() && !promised.path().empty()) {
      make(promised.path(), std::nullopt);
    }
  }

  std::string NewestBytes(const UnitSets& sets, const RecoveredFileOnDisk& file) const {
    std::string bytes(file.size_bytes, '\0');
    EachUnit(file, options_.unit_bytes, [&](const FileUnit& at) {
      bytes.replace(at.offset, at.size, contents_.Bytes(sets.At(at.unit).back()), 0, at.size);
    });
    return bytes;
  }

  // --- Judging --------------------------------------------------------------------------------

  absl::Status JudgeAll() {
    CountStates();
    if (log_changed_) {
      auto outcomes = ScanLog(medium_, contents_, layout_.journal);
      if (!outcomes.ok()) return outcomes.status();
      outcomes_ = *std::move(outcomes);
      log_changed_ = false;
    }
    for (const LogOutcome& outcome : outcomes_) {
      outcome_ = &outcome;
      if (!outcome.failure.empty()) {
        Report({.kind = "recovery", .message = outcome.failure}, {}, {});
        continue;
      }
      const RecoveredSets sets(medium_, outcome);
      const bool all = reader_.EachFileSystem(
          sets, [&](const RecoveredFileSystem& fs, const std::vector<Pin>& pins) {
            JudgeFileSystem(sets, fs, pins);
          });
      if (!all) {
        return absl::ResourceExhaustedError(
            absl::StrCat("more than ", FileSystemReader::kMaxFileSystems,
                         " file systems may come out of one recovery, since metadata outside the "
                         "log may hold this or that"));
      }
    }
    return absl::OkStatus();
  }

  void CountStates() {
    StateCount::Signature signature;
    for (const uint64_t unit : medium_.varying()) {
      const size_t kind = medium_.At(unit).size() - 2;
      if (signature.size() <= kind) signature.resize(kind + 1);
      ++signature[kind];
    }
    result_.states.AddFamily(signature);
  }

  void JudgeFileSystem(const UnitSets& sets, const RecoveredFileSystem& fs,
                       const std::vector<Pin>& pins) {
    if (!fs.faults.empty()) {
      return Report({.kind = "metadata", .message = fs.faults.front()}, pins, {});
    }
    for (const RecoveredFileOnDisk& file : fs.files) JudgeContents(sets, file, pins);
    for (const Promise& promise : promises_) {
      if (point_.entries < promise.from || point_.entries > promise.to) continue;
      JudgePromise(sets, fs, promise, pins);
    }
  }

  // What the unit shows as a part of the file, if that is wrong; looked at once.
  const std::optional<WrongBytes>& Judged(const std::string& path, const FileUnit& at,
                                          ContentId content) {
    auto& known = judged_[path];
    const auto [found, is_new] = known.try_emplace({at.offset, at.size, content});
    if (is_new) {
      const std::string_view bytes = contents_.Bytes(content);
      found->second = options_.rules.Judge(path, at.offset, bytes.substr(0, at.size));
    }
    return found->second;
  }

  void JudgeContents(const UnitSets& sets, const RecoveredFileOnDisk& file,
                     const std::vector<Pin>& pins) {
    std::map<WrongBytes::Kind, std::vector<WrongRange>> ranges;
    EachUnit(file, options_.unit_bytes, [&](const FileUnit& at) {
      for (const ContentId content : sets.At(at.unit)) {
        const std::optional<WrongBytes>& wrong = Judged(file.path, at, content);
        if (!wrong) continue;
        std::vector<WrongRange>& known = ranges[wrong->kind];
        if (known.empty() || known.back().wrong.end < wrong->begin) {
          known.push_back({*wrong, {{at.unit, content}}});
        } else if (known.back().units.back().unit != at.unit) {
          known.back().wrong.end = wrong->end;
          known.back().units.push_back({at.unit, content});
        }
      }
    });
    for (const auto& [kind, of_kind] : ranges) {
      for (const WrongRange& range : of_kind) ReportStale(file, range, pins);
    }
  }

  void ReportStale(const RecoveredFileOnDisk& file, const WrongRange& range,
                   const std::vector<Pin>& pins) {
    const WrongBytes& wrong = range.wrong;
    Report({.kind = "stale_data",
            .message = absl::StrCat(file.path, "[", wrong.begin, ",", wrong.end, ") shows ",
                                    NameOf(wrong.kind)),
            .path = file.path,
            .ino = file.ino,
            .begin = wrong.begin,
            .end = wrong.end,
            .shows = wrong.kind,
            .shown = wrong.shown,
            .device_block = range.units.front().unit / UnitsPerBlock()},
           pins, range.units);
  }

  void JudgePromise(const UnitSets& sets, const RecoveredFileSystem& fs, const Promise& promise,
                    const std::vector<Pin>& pins) {
    const auto file = std::find_if(fs.files.begin(), fs.files.end(),
                                   [&](const auto& f) { return f.path == promise.path; });
    RecordingFinding finding = {.kind = "lost_data", .path = promise.path, .mark = promise.mark};
    if (file == fs.files.end()) {
      finding.message = promise.path + " is not there";
      return Report(std::move(finding), pins, {});
    }
    if (!promise.bytes) return;
    finding.ino = file->ino;
    if (file->size_bytes != promise.bytes->size()) {
      finding.message = absl::StrCat(promise.path, " has ", file->size_bytes, " bytes, not ",
                                     promise.bytes->size());
      return Report(std::move(finding), pins, {});
    }
    JudgePromisedBytes(sets, *file, *promise.bytes, std::move(finding), pins);
  }

  // The first unit that may differ is enough.
  void JudgePromisedBytes(const UnitSets& sets, const RecoveredFileOnDisk& file,
                          const std::string& bytes, RecordingFinding finding,
                          const std::vector<Pin>& pins) {
    const auto report = [&](uint64_t begin, uint64_t size, const std::vector<Pin>& units) {
      finding.begin = begin;
      finding.end = begin + size;
      finding.message =
          absl::StrCat(file.path, "[", begin, ",", begin + size, ") is not what it was");
      Report(finding, pins, units);
    };
    uint64_t mapped = 0;  // up to here
    bool found = false;
    const auto hole = [&](uint64_t end) {
      const size_t written = bytes.find_first_not_of('\0', mapped);
      if (found || written >= end) return;
      found = true;
      report(written, end - written, {});
    };
    EachUnit(file, options_.unit_bytes, [&](const FileUnit& at) {
      hole(at.offset);
      mapped = at.offset + at.size;
      for (const ContentId content : sets.At(at.unit)) {
        if (found || bytes.compare(at.offset, at.size, contents_.Bytes(content), 0, at.size) == 0) {
          continue;
        }
        found = true;
        report(at.offset, at.size, {{at.unit, content}});
      }
    });
    hole(bytes.size());
  }

  // --- Findings -------------------------------------------------------------------------------

  void Report(RecordingFinding finding, const std::vector<Pin>& pins,
              const std::vector<Pin>& units) {
    const auto [found, is_new] = found_.try_emplace(
        FindingKey{finding.kind, finding.message, finding.mark}, result_.findings.size());
    if (!is_new) {
      std::vector<CrashPoint>& points = result_.findings[found->second].crash_points;
      if (points.back() != point_) points.push_back(point_);
      return;
    }
    finding.crash_points = {point_};
    finding.first_transaction = outcome_->first;
    finding.last_transaction = outcome_->last;
    if (outcome_->commit_unit != 0) finding.commit_entry = WriterOf(outcome_->commit_unit);
    std::vector<Pin> all = outcome_->pins;
    for (const std::vector<Pin>* part : {&pins, &units}) {
      for (const Pin& pin : *part) all.push_back(BeforeRecovery(pin));
    }
    for (const Pin& pin : all) finding.pins.push_back({pin.unit, contents_.Bytes(pin.content)});
    TellLost(all, finding);
    TellWriters(units, finding);
    result_.findings.push_back(std::move(finding));
  }

  // The last entry so far that wrote the unit.
  std::optional<uint32_t> WriterOf(uint64_t unit) const {
    const uint32_t entry = medium_.VersionsAt(unit).back().entry;
    return entry == UnitVersion::kBase ? std::nullopt : std::optional(entry);
  }

  // What must be on the device for the pin to hold after recovery.
  Pin BeforeRecovery(const Pin& pin) const {
    const auto replayed = outcome_->replayed.find(pin.unit);
    if (replayed == outcome_->replayed.end()) return pin;
    const ReplayedUnit& unit = replayed->second;
    const auto index = std::find(unit.contents.begin(), unit.contents.end(), pin.content);
    return {unit.log_unit, unit.log_contents[static_cast<size_t>(index - unit.contents.begin())]};
  }

  void TellLost(const std::vector<Pin>& pins, RecordingFinding& finding) const {
    std::set<uint32_t> lost;
    for (const Pin& pin : pins) {
      const std::vector<UnitVersion> versions = medium_.VersionsAt(pin.unit);
      for (auto version = versions.rbegin();
           version != versions.rend() && version->content != pin.content; ++version) {
        lost.insert(version->entry);
      }
    }
    finding.lost.assign(lost.begin(), lost.end());
  }

  // Of the bytes in question: who wrote them, and who will write others.
  void TellWriters(const std::vector<Pin>& units, RecordingFinding& finding) const {
    std::set<uint32_t> there, later;
    for (const Pin& unit : units) {
      const std::vector<UnitVersion> versions = medium_.VersionsAt(BeforeRecovery(unit).unit);
      const auto version =
          std::find_if(versions.rbegin(), versions.rend(), [&](const UnitVersion& v) {
            return v.content == BeforeRecovery(unit).content && v.entry != UnitVersion::kBase;
          });
      if (version != versions.rend()) there.insert(version->entry);
      const auto writers = writers_.find(unit.unit);
      if (writers == writers_.end()) continue;
      const auto next =
          std::lower_bound(writers->second.begin(), writers->second.end(), point_.entries);
      if (next != writers->second.end()) later.insert(*next);
    }
    finding.there.assign(there.begin(), there.end());
    finding.later.assign(later.begin(), later.end());
  }

  const Recording& recording_;
  const RecordingOptions& options_;
  const FileSystemLayout layout_;
  ContentTable contents_;
  Medium medium_;
  FileSystemReader reader_;
  const std::vector<RecordedMark> marks_;
  size_t next_mark_ = 0;
  std::vector<Promise> promises_;
  std::set<uint64_t> decides_log_;                     // units
  std::map<uint64_t, std::vector<uint32_t>> writers_;  // entries, by unit

  CrashPoint point_;
  bool log_changed_ = true;
  std::vector<LogOutcome> outcomes_;
  const LogOutcome* outcome_ = nullptr;  // being judged
  // By path, then by what is looked at: offset, size, content.
  using Glance = std::tuple<uint64_t, uint64_t, ContentId>;
  absl::flat_hash_map<std::string, absl::flat_hash_map<Glance, std::optional<WrongBytes>>> judged_;
  std::map<FindingKey, size_t> found_;  // into the result's findings
  RecordingResult result_;
};

absl::Status CheckEntries(const Recording& recording, const FileSystemLayout& layout,
                          uint32_t unit_bytes) {
  for (size_t i = 0; i < recording.entries.size(); ++i) {
    const RecordedEntry& entry = recording.entries[i];
    if (entry.offset_bytes >= layout.size_bytes) continue;
    if (entry.offset_bytes % unit_bytes == 0 && entry.size_bytes % unit_bytes == 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("entry ", i, ": ", entry.size_bytes,
                                                   " bytes at ", entry.offset_bytes,
                                                   ", which are not units of ", unit_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecordingResult> CheckRecording(std::string_view base, const Recording& recording,
                                               const RecordingOptions& options) {
  BytesSource source(base);
  auto layout = ProbeFileSystem(source, options.unit_bytes);
  if (!layout.ok()) return layout.status();
  if (layout->size_bytes > base.size()) {
    return absl::InvalidArgumentError(absl::StrCat("superblock: a file system of ",
                                                   layout->size_bytes, " bytes, in an image of ",
                                                   base.size()));
  }
  const uint64_t journal = layout->journal.blocks[0] * layout->journal.block_bytes;
  const auto log = ParseLogSuperblock(base.substr(journal, layout->journal.block_bytes));
  if (!log.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(log.status().message(), " (at byte ", journal, ")"));
  }
  const absl::Status fits = CheckEntries(recording, *layout, options.unit_bytes);
  if (!fits.ok()) return fits;
  return RecordingChecker(base, recording, options, *std::move(layout)).Run();
}

std::string StateBytes(std::string_view base, const Recording& recording,
                       const RecordingOptions& options, const RecordingFinding& finding) {
  BytesSource source(base);
  const auto layout = ProbeFileSystem(source, options.unit_bytes);
  SIM_CHECK(layout.ok());
  ContentTable contents(options.unit_bytes);
  Medium medium(contents, base.substr(0, layout->size_bytes));
  const CrashPoint& point = finding.crash_points.front();
  for (uint32_t i = 0; i < point.entries; ++i) {
    medium.Submit(recording.entries[i], i);
    if (i + 1 < point.entries || !point.fua_in_flight) medium.Complete(recording.entries[i]);
  }
  std::string bytes(base.substr(0, layout->size_bytes));
  const auto put = [&](uint64_t unit, const std::string& content) {
    bytes.replace(unit * options.unit_bytes, options.unit_bytes, content);
  };
  for (uint64_t unit = 0; unit < medium.units(); ++unit) {
    put(unit, contents.Bytes(medium.At(unit).back()));
  }
  for (const HeldBytes& pin : finding.pins) put(pin.unit, pin.bytes);
  return bytes;
}

}  // namespace model
