#include "sim/race/guard_report.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace sim {
namespace {

constexpr size_t kShownExceptions = 3;
constexpr size_t kShownFrames = 3;

bool MayRace(Sharing sharing, Access access) {
  return sharing == Sharing::kAtomic || sharing == Sharing::kOrdered ||
         (sharing == Sharing::kLocklessReads && access == Access::kRead);
}

// A reader is guarded by either kind of hold; a writer by an exclusive one.
GuardLock AsGuard(GuardLock lock, Access access) {
  if (access == Access::kRead) lock.shared = false;
  return lock;
}

bool Holds(const GuardRow& row, const GuardLock& guard) {
  return std::any_of(row.locks.begin(), row.locks.end(), [&](const GuardLock& lock) {
    return AsGuard(lock, row.access) == AsGuard(guard, row.access);
  });
}

class Summarizer {
 public:
  explicit Summarizer(const GuardTable& guards) : guards_(guards) {}

  GuardSummary Of(uint32_t field, Access access, const std::vector<uint32_t>& rows) const {
    GuardSummary summary;
    summary.field = field;
    summary.access = access;
    std::map<GuardLock, LockShare> shares;
    for (const uint32_t number : rows) Add(guards_.rows()[number], summary, shares);
    for (auto& [guard, share] : shares) summary.locks.push_back(share);
    std::stable_sort(
        summary.locks.begin(), summary.locks.end(),
        [](const LockShare& a, const LockShare& b) { return a.accesses > b.accesses; });
    const bool mostly = !MayRace(guards_.fields()[field].sharing, access) &&
                        !summary.locks.empty() && summary.always() == 0 &&
                        2 * summary.locks.front().accesses >= summary.accesses;
    if (mostly) summary.exceptions = Exceptions(rows, summary.locks.front().lock);
    return summary;
  }

 private:
  static void Add(const GuardRow& row, GuardSummary& summary,
                  std::map<GuardLock, LockShare>& shares) {
    summary.accesses += row.count;
    for (auto lock = row.locks.begin(); lock != row.locks.end(); ++lock) {
      const GuardLock guard = AsGuard(*lock, row.access);
      LockShare& share = shares[guard];
      share.lock = {guard.lock, guard.owner, guard.owner_kind, share.lock.shared || lock->shared};
      const bool again = std::any_of(row.locks.begin(), lock, [&](const GuardLock& before) {
        return AsGuard(before, row.access) == guard;
      });
      if (!again) share.accesses += row.count;
    }
  }

  std::vector<uint32_t> Exceptions(const std::vector<uint32_t>& rows,
                                   const GuardLock& guard) const {
    std::vector<uint32_t> without;
    for (const uint32_t number : rows) {
      if (!Holds(guards_.rows()[number], guard)) without.push_back(number);
    }
    std::stable_sort(without.begin(), without.end(), [this](uint32_t a, uint32_t b) {
      return guards_.rows()[a].count > guards_.rows()[b].count;
    });
    return without;
  }

  const GuardTable& guards_;
};

// 1234567: "1,234,567"
std::string Grouped(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

// Below 100 unless it is all.
uint64_t Percent(uint64_t part, uint64_t all) { return part * 100 / all; }

// "ext4_writepages < do_writepages < ..."
std::string Functions(const GuardRow& row) {
  std::vector<std::string> functions;
  for (const FrameSite* const frame : row.frames) {
    if (functions.size() == kShownFrames) break;
    functions.push_back(frame->function);
  }
  return functions.empty() ? "a task" : absl::StrJoin(functions, " < ");
}

const char* Name(Access access) { return access == Access::kRead ? "reads" : "writes"; }

std::string AlwaysHeld(const GuardSummary& summary) {
  if (summary.always() == 0) return "no lock every time";
  std::vector<std::string> locks;
  for (size_t i = 0; i < summary.always(); ++i) locks.push_back(summary.locks[i].lock.Text());
  return absl::StrJoin(locks, ", ");
}

std::string ExceptionsText(const GuardTable& guards, const GuardSummary& summary) {
  const LockShare& best = summary.locks.front();
  std::string text = absl::StrFormat("%24s%d %% %s, but not in\n", "",
                                     Percent(best.accesses, summary.accesses), best.lock.Text());
  for (size_t i = 0; i < summary.exceptions.size() && i < kShownExceptions; ++i) {
    const GuardRow& row = guards.rows()[summary.exceptions[i]];
    absl::StrAppendFormat(
        &text, "%26s%s: %s times, the first in execution %d of %s, step %d, by %s\n", "",
        Functions(row), Grouped(row.count), row.execution, row.search, row.step, row.actor);
  }
  if (summary.exceptions.size() > kShownExceptions) {
    absl::StrAppendFormat(&text, "%26s... and in %d more ways\n", "",
                          summary.exceptions.size() - kShownExceptions);
  }
  return text;
}

const char* SharingName(Sharing sharing) {
  switch (sharing) {
    case Sharing::kPlain:
      return "plain";
    case Sharing::kLocklessReads:
      return "lockless_reads";
    case Sharing::kAtomic:
      return "atomic";
    case Sharing::kOrdered:
      break;
  }
  return "ordered";
}

nlohmann::ordered_json ToJson(const GuardLock& lock) {
  static constexpr const char* kOwners[] = {"nobody", "same", "another", "other"};
  nlohmann::ordered_json json = {{"lock", lock.lock},
                                 {"of", kOwners[static_cast<size_t>(lock.owner)]}};
  if (!lock.owner_kind.empty()) json["owner_kind"] = lock.owner_kind;
  json["shared"] = lock.shared;
  return json;
}

nlohmann::ordered_json ToJson(const GuardRow& row) {
  nlohmann::ordered_json json = {{"accesses", row.count},
                                 {"locks", nlohmann::ordered_json::array()},
                                 {"stack", nlohmann::ordered_json::array()},
                                 {"first_by", row.actor},
                                 {"search", row.search},
                                 {"execution", row.execution},
                                 {"step", row.step}};
  for (const GuardLock& lock : row.locks) json["locks"].push_back(ToJson(lock));
  for (const FrameSite* const frame : row.frames) {
    json["stack"].push_back(
        absl::StrCat(frame->function, "+", frame->site.file, ":", frame->site.line));
  }
  return json;
}

}  // namespace

size_t GuardSummary::always() const {
  const auto end = std::find_if(locks.begin(), locks.end(), [this](const LockShare& share) {
    return share.accesses < accesses;
  });
  return static_cast<size_t>(end - locks.begin());
}

std::vector<GuardSummary> Summarize(const GuardTable& guards) {
  // By field's name, writes before reads.
  std::map<std::tuple<std::string, bool>, std::vector<uint32_t>> groups;
  for (uint32_t i = 0; i < guards.rows().size(); ++i) {
    const GuardRow& row = guards.rows()[i];
    groups[{guards.fields()[row.field].name, row.access == Access::kRead}].push_back(i);
  }
  std::vector<GuardSummary> summaries;
  for (const auto& [key, rows] : groups) {
    const GuardRow& row = guards.rows()[rows.front()];
    summaries.push_back(Summarizer(guards).Of(row.field, row.access, rows));
  }
  return summaries;
}

std::string RenderText(const GuardTable& guards) {
  std::string text;
  const GuardField* before = nullptr;
  for (const GuardSummary& summary : Summarize(guards)) {
    const GuardField& field = guards.fields()[summary.field];
    if (&field != before) {
      absl::StrAppend(&text, before != nullptr ? "\n" : "", field.name, "\n");
      if (!field.why.empty()) absl::StrAppend(&text, "  may be raced on: ", field.why, "\n");
    }
    before = &field;
    absl::StrAppendFormat(&text, "  %-6s %13s  %s\n", Name(summary.access),
                          Grouped(summary.accesses), AlwaysHeld(summary));
    if (!summary.exceptions.empty()) text += ExceptionsText(guards, summary);
  }
  return text;
}

nlohmann::ordered_json ToJson(const GuardTable& guards) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const GuardSummary& summary : Summarize(guards)) {
    const GuardField& field = guards.fields()[summary.field];
    nlohmann::ordered_json one = {{"field", field.name},
                                  {"sharing", SharingName(field.sharing)},
                                  {"why", field.why},
                                  {"access", summary.access == Access::kRead ? "read" : "write"},
                                  {"accesses", summary.accesses},
                                  {"locks", nlohmann::ordered_json::array()},
                                  {"exceptions", nlohmann::ordered_json::array()}};
    for (const LockShare& share : summary.locks) {
      one["locks"].push_back(ToJson(share.lock));
      one["locks"].back()["accesses"] = share.accesses;
    }
    for (const uint32_t row : summary.exceptions) {
      one["exceptions"].push_back(ToJson(guards.rows()[row]));
    }
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace sim
