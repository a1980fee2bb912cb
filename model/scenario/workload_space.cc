#include "model/scenario/workload_space.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace scenario {
namespace {

constexpr int64_t kKib = 1024;
constexpr std::array<const char*, 2> kFileNames = {"a", "b"};

struct Choice {
  const char* name = "";
  OpKind kind = OpKind::kWrite;
  int64_t begin = 0;  // of a truncate, the new size
  int64_t end = 0;
  FallocateMode mode = FallocateMode::kAllocate;
  bool direct = false;
};
constexpr int64_t kFallocateBegin = 16 * kKib - 2000, kFallocateEnd = 16 * kKib + 3000;
constexpr Choice Fallocate(const char* name, FallocateMode mode) {
  return {name, OpKind::kFallocate, kFallocateBegin, kFallocateEnd, mode};
}
constexpr std::array<Choice, 13> kChoices = {{
    {"append", OpKind::kWrite, 16 * kKib, 20 * kKib},
    {"overlap", OpKind::kWrite, 8000, 12096},
    {"extend", OpKind::kWrite, 12 * kKib, 20 * kKib},
    {.name = "dappend", .begin = 16 * kKib, .end = 20 * kKib, .direct = true},
    {.name = "doverlap", .begin = 8 * kKib, .end = 12 * kKib, .direct = true},
    {"map", OpKind::kMmapWrite, 4 * kKib, 8 * kKib},
    {"cut", OpKind::kTruncate, 8 * kKib},
    {"cut_odd", OpKind::kTruncate, 10000},
    Fallocate("falloc", FallocateMode::kAllocate),
    Fallocate("falloc_keep", FallocateMode::kAllocateKeepSize),
    Fallocate("punch", FallocateMode::kPunchHole),
    Fallocate("zero", FallocateMode::kZeroRange),
    Fallocate("zero_keep", FallocateMode::kZeroRangeKeepSize),
}};

Op Write(OpKind kind, const std::string& file, int64_t begin, int64_t end) {
  const int64_t len = end - begin;
  return {.kind = kind,
          .file = file,
          .pos_bytes = begin,
          .len_bytes = len,
          .returns = OpResult{"", len}};
}

Op OperationOf(const Choice& choice, const std::string& file) {
  if (choice.kind == OpKind::kFallocate) {
    return {.kind = choice.kind,
            .file = file,
            .pos_bytes = choice.begin,
            .len_bytes = choice.end - choice.begin,
            .mode = choice.mode,
            .returns = OpResult{}};
  }
  if (choice.kind != OpKind::kTruncate) {
    Op write = Write(choice.kind, file, choice.begin, choice.end);
    write.direct = choice.direct;
    return write;
  }
  return {.kind = choice.kind, .file = file, .size_bytes = choice.begin, .returns = OpResult{}};
}

struct Sync {
  const char* name = "";
  OpKind kind = OpKind::kSync;
};
constexpr std::array<Sync, 2> kSyncsOfAFile = {
    {{"fsync", OpKind::kFsync}, {"fdata", OpKind::kFdatasync}}};

// Persistence points: of each file, of all, none.
size_t SyncsOf(int files) { return kSyncsOfAFile.size() * static_cast<size_t>(files) + 1; }

// Takes the digits of a workload's number, the lowest first.
class Digits {
 public:
  explicit Digits(uint64_t number) : rest_(number) {}
  size_t Next(size_t base) {
    const uint64_t digit = rest_ % base;
    rest_ /= base;
    return static_cast<size_t>(digit);
  }

 private:
  uint64_t rest_;
};

// Number `number` of them: none comes last, so that it can be left out.
void AddSync(size_t number, int files, std::vector<Op>& ops, std::string& name) {
  const size_t of_files = SyncsOf(files) - 1;
  if (number < of_files) {
    const Sync& sync = kSyncsOfAFile[number % kSyncsOfAFile.size()];
    const char* const file = kFileNames[number / kSyncsOfAFile.size()];
    ops.push_back({.kind = sync.kind, .file = file, .returns = OpResult{}});
    absl::StrAppend(&name, "_", sync.name);
    if (files > 1) absl::StrAppend(&name, "_", file);
  } else if (number == of_files) {
    ops.push_back({.kind = OpKind::kSync, .returns = OpResult{}});
    absl::StrAppend(&name, "_sync");
  } else {
    absl::StrAppend(&name, "_none");
  }
}

}  // namespace

uint64_t WorkloadSpace::Count() const {
  const uint64_t choices = kChoices.size() * static_cast<uint64_t>(files);
  const uint64_t syncs = SyncsOf(files);
  uint64_t count = choices * syncs;
  for (int i = 1; i < operations; ++i) count *= choices * (syncs + 1);
  return count;
}

Scenario WorkloadSpace::Make(uint64_t number, const Scenario& like) const {
  SIM_CHECK(number < Count());
  Scenario made = like;
  made.name.clear();
  made.about = "One of all small workloads: every state that a power cut may leave.";
  made.models.clear();
  made.expect = {};
  made.files.clear();
  ThreadConfig thread{.name = "workload"};
  for (int i = 0; i < files; ++i) {
    const BufferedPath path =
        like.fs.buffered_iomap ? BufferedPath::kIomap : BufferedPath::kBufferHead;
    const char* const file = kFileNames[static_cast<size_t>(i)];
    made.files.push_back({.name = file, .buffered = path, .exists = false});
    thread.ops.push_back({.kind = OpKind::kCreate, .file = file, .returns = OpResult{}});
    thread.ops.push_back(Write(OpKind::kWrite, file, 4 * kKib, 16 * kKib));
  }
  Digits digits(number);
  for (int i = 0; i < operations; ++i) {
    const char* const file = kFileNames[digits.Next(static_cast<size_t>(files))];
    const Choice& choice = kChoices[digits.Next(kChoices.size())];
    thread.ops.push_back(OperationOf(choice, file));
    absl::StrAppend(&made.name, i == 0 ? "" : "-", choice.name);
    if (files > 1) absl::StrAppend(&made.name, "_", file);
    const size_t sync = digits.Next(SyncsOf(files) + (i + 1 == operations ? 0 : 1));
    AddSync(sync, files, thread.ops, made.name);
  }
  made.threads = {std::move(thread)};
  return made;
}

}  // namespace scenario
