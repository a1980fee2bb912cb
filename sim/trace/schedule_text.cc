#include "sim/trace/schedule_text.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace sim {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<ScheduleRun>> Parse() {
    for (SkipSpace(); at_ < text_.size(); SkipSpace()) {
      ScheduleRun run;
      if (absl::Status status = ParseRun(run); !status.ok()) return status;
      if (absl::Status status = Append(run); !status.ok()) return status;
    }
    return std::move(schedule_);
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
  }

  absl::Status ParseRun(ScheduleRun& run) {
    run_at_ = at_;
    if (text_[at_] != 't' && text_[at_] != 'e') return Wants("'t' or 'e'");
    const bool is_task = text_[at_++] == 't';
    run.actor.kind = is_task ? Actor::Kind::kTask : Actor::Kind::kEvent;
    run.turns = 1;
    if (!ParseNumber(run.actor.id) || run.actor.id == TaskId::kNone) {
      return Wants("a number below 4294967295");
    }
    if (is_task && at_ < text_.size() && text_[at_] == 'x') {
      ++at_;
      if (!ParseNumber(run.turns) || run.turns == 0) return Wants("a number from 1 to 4294967295");
    }
    if (at_ < text_.size() && !absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) {
      return Wants("white space");
    }
    return absl::OkStatus();
  }

  // Stays where it is on failure.
  bool ParseNumber(uint32_t& number) {
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (error != std::errc()) return false;
    at_ += static_cast<size_t>(end - begin);
    return true;
  }

  absl::Status Append(const ScheduleRun& run) {
    if (schedule_.empty() || schedule_.back().actor != run.actor) {
      schedule_.push_back(run);
      return absl::OkStatus();
    }
    if (run.actor.kind == Actor::Kind::kEvent || schedule_.back().turns > UINT32_MAX - run.turns) {
      at_ = run_at_;
      return Wants(run.actor.kind == Actor::Kind::kEvent ? "each event once"
                                                         : "fewer turns of one task");
    }
    schedule_.back().turns += run.turns;
    return absl::OkStatus();
  }

  absl::Status Wants(const char* what) const {
    const std::string got = at_ < text_.size()
                                ? absl::StrCat("'", absl::CEscape(std::string(1, text_[at_])), "'")
                                : "the end";
    return absl::InvalidArgumentError(
        absl::StrCat("schedule: byte ", at_ + 1, ": want ", what, ", got ", got));
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t run_at_ = 0;
  std::vector<ScheduleRun> schedule_;
};

}  // namespace

std::string FormatSchedule(std::span<const ScheduleRun> schedule) {
  std::string text;
  for (const ScheduleRun& run : schedule) {
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    run.actor.kind == Actor::Kind::kTask ? "t" : "e", run.actor.id);
    if (run.turns != 1) absl::StrAppend(&text, "x", run.turns);
  }
  return text;
}

absl::StatusOr<std::vector<ScheduleRun>> ParseSchedule(std::string_view text) {
  return Parser(text).Parse();
}

}  // namespace sim
