#include "tools/import/proc_lockdep.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "tools/import/ftrace.h"
#include "tools/import/words.h"

namespace tools {
namespace {

using sim::Acquisition;
using sim::UsageBit;

constexpr uint64_t kMaxChainLocks = 1024;  // the kernel's MAX_LOCK_DEPTH is 48

bool CutPrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "FD:   12" at the front of the text, which may follow spaces.
bool CutCount(std::string_view& text, std::string_view label) {
  text = Trim(text);
  uint64_t count = 0;
  return CutPrefix(text, label) && Number(Word(text), count);
}

// "[<address>] <name>" at the front of the text; empty: it is not there.
std::string_view NameBehindAddress(std::string_view text) {
  const size_t close = text.find(']');
  if (text.empty() || text.front() != '[' || close == std::string_view::npos) return {};
  return Trim(text.substr(close + 1));
}

std::optional<std::vector<UsageBit>> UsageOf(std::string_view word) {
  if (word.size() != 4) return std::nullopt;
  constexpr std::array kInIrq = {UsageBit::kInHardirq, UsageBit::kInHardirqRead,
                                 UsageBit::kInSoftirq, UsageBit::kInSoftirqRead};
  constexpr std::array kIrqOn = {UsageBit::kHardirqOn, UsageBit::kHardirqOnRead,
                                 UsageBit::kSoftirqOn, UsageBit::kSoftirqOnRead};
  std::vector<UsageBit> bits;
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (c != '.' && c != '-' && c != '+' && c != '?') return std::nullopt;
    if (c == '-' || c == '?') bits.push_back(kInIrq[i]);
    if (c == '+' || c == '?') bits.push_back(kIrqOn[i]);
  }
  return bits;
}

// irq_strs[] in lc_show(); older kernels print the number. Bit 0: hardirq, bit 1: softirq.
std::optional<uint8_t> IrqContextOf(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, uint8_t>, 7> kContexts = {
      {{"0", 0},
       {"softirq", 2},
       {"1", 2},
       {"hardirq", 1},
       {"2", 1},
       {"hardirq|softirq", 3},
       {"3", 3}}};
  for (const auto& [name, context] : kContexts) {
    if (word == name) return context;
  }
  return std::nullopt;
}

}  // namespace

template <class Use>
void ProcImporter::EachLine(const char* name, std::string_view text, Use use) {
  file_ = name;
  line_in_file_ = 0;
  while (!text.empty()) {
    const TextLine line = NextLine(text);
    ++line_count_;
    ++line_in_file_;
    if (line.is_whole) {
      use(line.text);
    } else {
      CountUnused("last line without an end: it may have been cut", line.text);
    }
  }
}

void ProcImporter::AddClasses(const char* name, std::string_view text) {
  std::optional<Lock> current;  // whose dependencies follow
  uint64_t current_line = 0;
  EachLine(name, text, [&](std::string_view line) {
    if (Trim(line).empty() || line == "all lock classes:") return;
    if (!CutPrefix(line, " -> ")) {
      current = UseClassLine(line);
      current_line = line_in_file_;
      if (!current) CountUnused("not a line of /proc/lockdep", line);
      return;
    }
    const std::string_view next = NameBehindAddress(line);
    if (!current || next.empty()) {
      CountUnused(current ? "not a dependency" : "dependency of an unknown class", line);
    } else if (const Lock lock = LockNamed(next); lock != *current) {
      validator_.KnowDependency(AcquisitionOf(*current, current_line),
                                AcquisitionOf(lock, line_in_file_), file_);
    }
  });
}

std::optional<ProcImporter::Lock> ProcImporter::UseClassLine(std::string_view text) {
  Word(text);  // the address
  std::string_view rest = text;
  if (CutCount(rest, "OPS:")) text = rest;
  if (!CutCount(text, "FD:") || !CutCount(text, "BD:")) return std::nullopt;
  std::string_view usage = Word(text);
  if (usage.empty() || usage.back() != ':') return std::nullopt;
  usage.remove_suffix(1);
  const auto bits = UsageOf(usage);
  const std::string_view name = Trim(text);
  if (!bits || name.empty()) return std::nullopt;
  const Lock lock = LockNamed(name);
  const Acquisition acquisition = AcquisitionOf(lock, line_in_file_);
  validator_.KnowUsage(acquisition, UsageBit::kUsed, file_);
  for (UsageBit bit : *bits) validator_.KnowUsage(acquisition, bit, file_);
  ++record_count_;
  return lock;
}

void ProcImporter::AddChains(const char* name, std::string_view text) {
  std::vector<Chain> chains;
  std::optional<Chain> current;
  const auto end_chain = [&] {
    if (current && !current->locks.empty()) chains.push_back(*std::move(current));
    current.reset();
  };
  EachLine(name, text, [&](std::string_view line) {
    if (Trim(line).empty()) return end_chain();
    if (line == "all lock chains:") return;
    if (std::string_view rest = line; CutPrefix(rest, "irq_context:")) {
      end_chain();
      const auto context = IrqContextOf(Trim(rest));
      if (!context) return CountUnused("unknown interrupt context", line);
      current = Chain{*context, line_in_file_ + 1, {}};
      return;
    }
    const std::string_view lock = NameBehindAddress(line);
    if (current && !lock.empty() && current->locks.size() < kMaxChainLocks) {
      current->locks.push_back(LockNamed(lock));
      return;
    }
    CountUnused(lock.empty() ? "not a line of /proc/lockdep_chains" : "lock of an unknown chain",
                line);
    current.reset();  // it lacks a lock
  });
  if (current) CountUnused("last chain without an end: it may have been cut", "");
  std::set<std::vector<Lock>> known;
  for (const Chain& chain : chains) known.insert(chain.locks);
  for (const Chain& chain : chains) Learn(chain, known);
  record_count_ += chains.size();
}

// As check_prevs_add() went back through the chain when its last lock was taken.
void ProcImporter::Learn(const Chain& chain, const std::set<std::vector<Lock>>& known) {
  std::vector<Acquisition> locks;
  for (const Lock& lock : chain.locks) {
    locks.push_back(AcquisitionOf(lock, chain.first_line + locks.size()));
  }
  validator_.KnowChain(locks, chain.irq_context);
  const Lock& taken = chain.locks.back();
  if (IsUnchecked(validator_.ClassName(taken.lock_class))) return;
  std::vector<Lock> below = chain.locks;
  for (below.pop_back(); !below.empty(); below.pop_back()) {
    const Lock& held = below.back();
    if (IsUnchecked(validator_.ClassName(held.lock_class))) continue;
    if (held != taken) validator_.KnowDependency(locks[below.size() - 1], locks.back(), file_);
    if (known.count(below) > 0) break;  // it was waited for: its own dependencies lead here
  }
}

ProcImporter::Lock ProcImporter::LockNamed(std::string_view name) {
  Lock lock;
  const size_t slash = name.rfind('/');
  const std::string_view digits =
      slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
  uint32_t subclass = 0;
  if (slash > 0 && !digits.empty() && digits.front() != '0' && Number(digits, subclass) &&
      subclass < sim::kMaxSubclasses) {
    lock.subclass = subclass;
    name = name.substr(0, slash);
  }
  lock.lock_class = validator_.Class(name);
  return lock;
}

Acquisition ProcImporter::AcquisitionOf(const Lock& lock, uint64_t line) const {
  const auto shown_line = std::min<uint64_t>(line, std::numeric_limits<int>::max());
  return {.lock_class = lock.lock_class,
          .subclass = lock.subclass,
          .at = {.site = {file_, static_cast<int>(shown_line)}, .step = line}};
}

}  // namespace tools
