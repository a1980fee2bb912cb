#include "tools/import/ftrace.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "tools/import/words.h"

namespace tools {
namespace {

using sim::Acquisition;
using sim::HeldLock;
using sim::ReadMode;

bool IsRecursiveReader(std::string_view name) {
  return StartsWith(name, "rcu_") || Contains(name, "srcu") || Contains(name, "seqcount");
}

}  // namespace

bool IsUnchecked(std::string_view name) {
  return StartsWith(name, "rcu_read_lock") || name == "rcu_callback" || name == "&dev->mutex";
}

void FtraceImporter::AddFile(const char* name, std::string_view text) {
  file_ = name;
  line_in_file_ = 0;
  release_count_ = 0;
  while (!text.empty()) {
    const TextLine line = NextLine(text);
    ++line_count_;
    ++line_in_file_;
    if (line.is_whole) {
      AddLine(line.text);
    } else {
      CountUnused("last line without an end: it may have been cut", line.text);
    }
  }
  EndFile();
}

void FtraceImporter::AddLine(std::string_view text) {
  Line line;
  switch (Parse(text, line)) {
    case Parsed::kNothing:
      return;
    case Parsed::kLost:
      ForgetHolds();
      return CountUnused("events lost by the kernel: all holds forgotten", text);
    case Parsed::kUnusable:
      if (!Contains(text, "lock_")) return CountUnused("not a line of a trace", text);
      ForgetHolds();
      return CountUnused("damaged lock event: all holds forgotten", text);
    case Parsed::kLine:
      return Apply(line, text);
  }
}

void FtraceImporter::Apply(const Line& line, std::string_view text) {
  if (line.verb == Verb::kOther) {
    ++other_event_count_;
    return;
  }
  ++lock_event_count_;
  ThreadKey key{line.pid, line.pid == 0 ? line.cpu : 0, std::string(line.comm)};
  auto it = contexts_.find(key);
  if (it == contexts_.end()) {
    const auto pid = static_cast<uint32_t>(line.pid);
    it = contexts_
             .emplace(std::move(key),
                      Context{sim::HeldLocks(sim::TaskId{pid}, std::string(line.comm)), line.cpu})
             .first;
  }
  Context& context = it->second;
  DropStaleHolds(context, line);
  validator_.SetIrqState(context.held, line.irq, At());
  switch (line.verb) {
    case Verb::kAcquire:
      return Acquire(context, line);
    case Verb::kAcquired:
      return Acquired(context, line);
    case Verb::kRelease:
      return Release(context, line, text);
    default:
      return;
  }
}

void FtraceImporter::Acquire(Context& context, const Line& line) {
  const Acquisition acquisition = MakeAcquisition(context, line);
  const HeldLock* same = context.held.Find(line.address);
  const bool would_wait =
      acquisition.check && !acquisition.trylock && acquisition.read != ReadMode::kSharedRecursive;
  if (same != nullptr && would_wait && same->acquisition.check) {
    context.repeated.push_back(acquisition);
  } else {
    validator_.Acquire(context.held, acquisition);
    if (!line.irq.hardirqs_on && line.has_flags) context.taken_irqs_off.insert(line.address);
  }
}

void FtraceImporter::Acquired(Context& context, const Line& line) {
  std::erase_if(context.repeated,
                [&](const Acquisition& repeated) { return repeated.instance == line.address; });
  const HeldLock* ours = context.held.Find(line.address);
  if (ours == nullptr || ours->acquisition.read != ReadMode::kExclusive) return;
  for (auto& [key, other] : contexts_) {
    if (&other == &context) continue;
    const HeldLock* stale = other.held.Find(line.address);
    // The other may be waiting for it by now; one that has waited no longer may not be told from
    // it, and loses an order at worst.
    if (stale == nullptr || stale->acquisition.read != ReadMode::kExclusive) continue;
    if (stale->acquisition.at.step > ours->acquisition.at.step) continue;
    validator_.Release(other.held, stale->acquisition.lock_class, line.address, At());
  }
}

void FtraceImporter::Release(Context& context, const Line& line, std::string_view text) {
  ++release_count_;
  std::erase_if(context.repeated,
                [&](const Acquisition& repeated) { return repeated.instance == line.address; });
  if (const HeldLock* ours = context.held.Find(line.address)) {
    context.taken_irqs_off.erase(line.address);
    return validator_.Release(context.held, ours->acquisition.lock_class, line.address, At());
  }
  for (auto& [key, other] : contexts_) {
    const HeldLock* held = other.held.Find(line.address);
    if (held == nullptr || held->acquisition.read != ReadMode::kExclusive) continue;
    return validator_.Release(other.held, held->acquisition.lock_class, line.address, At());
  }
  CountUnused("release of a lock that was not seen taken", text);
}

void FtraceImporter::DropStaleHolds(Context& context, const Line& line) {
  const auto& locks = context.held.locks();
  while (!locks.empty()) {
    const HeldLock& last = locks.back();
    const bool hardirq_over = (last.irq_context & 1) != 0 && !line.irq.in_hardirq;
    const bool softirq_over =
        (last.irq_context & 2) != 0 && !line.irq.in_softirq && !line.irq.in_hardirq;
    if (!hardirq_over && !softirq_over) break;
    validator_.Release(context.held, last.acquisition.lock_class, last.acquisition.instance, At());
  }
  if (line.cpu == context.cpu) return;
  context.cpu = line.cpu;
  for (uint64_t instance : context.taken_irqs_off) {
    const HeldLock* held = context.held.Find(instance);
    if (held == nullptr) continue;
    validator_.Release(context.held, held->acquisition.lock_class, instance, At());
  }
  context.taken_irqs_off.clear();
}

void FtraceImporter::ForgetHolds() { contexts_.clear(); }

void FtraceImporter::EndFile() {
  // A trace without any release says nothing about what is held.
  if (release_count_ > 0) {
    for (auto& [key, context] : contexts_) {
      for (const Acquisition& repeated : context.repeated) {
        validator_.Acquire(context.held, repeated);
      }
    }
  }
  ForgetHolds();
}

sim::Here FtraceImporter::At() const {
  const auto line = std::min<uint64_t>(line_in_file_, std::numeric_limits<int>::max());
  return {.site = {file_, static_cast<int>(line)}, .step = line_in_file_};
}

Acquisition FtraceImporter::MakeAcquisition(const Context& context, const Line& line) {
  Acquisition acquisition;
  const bool irq = line.irq.in_hardirq || line.irq.in_softirq;
  if (line.read_level >= 0) {
    acquisition.read = static_cast<ReadMode>(line.read_level);
  } else if (line.read) {
    acquisition.read =
        irq || IsRecursiveReader(line.name) ? ReadMode::kSharedRecursive : ReadMode::kShared;
  }
  acquisition.trylock = line.trylock;
  acquisition.check = !IsUnchecked(line.name);
  acquisition.instance = line.address;
  acquisition.nest_instance = context.held.Find(line.nest) == nullptr ? 0 : line.nest;
  acquisition.subclass = static_cast<uint32_t>(std::max(line.subclass, 0));
  acquisition.lock_class = validator_.Class(line.name);
  acquisition.at = At();

  int others = 0;  // instances of the same name and subclass held already
  const std::string version = absl::StrCat(std::string(line.name), "#");
  for (const HeldLock& held : context.held.locks()) {
    const Acquisition& other = held.acquisition;
    const std::string& name = validator_.ClassName(other.lock_class);
    if (other.instance == line.address) continue;
    if (name == line.name ? line.subclass < 0 || other.subclass == acquisition.subclass
                          : StartsWith(name, version)) {
      ++others;
    }
  }
  if (others == 0 || acquisition.nest_instance != 0 || !acquisition.check) return acquisition;
  if (line.subclass < 0) {
    acquisition.subclass = static_cast<uint32_t>(others);
  } else {
    acquisition.lock_class = validator_.Class(absl::StrCat(version, others + 1));
  }
  return acquisition;
}

}  // namespace tools
