// DporTree as text and back.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/explore/dpor_tree.h"

namespace sim {
namespace {

using Fate = DporBranch::Fate;

// By Fate and by Access.
constexpr std::string_view kFates = "odx";
constexpr std::string_view kAccesses = "rwtgsu";

}  // namespace

// --- Writing -------------------------------------------------------------------------------------

class DporTree::LineWriter {
 public:
  explicit LineWriter(const DporTree& tree) : keys_(tree.actors_->Keys()) {
    numbers_.resize(keys_.size(), kNoDporActor);
    AddBranch(tree.root_);
    for (const Taken& taken : tree.taken_) AddTaken(taken);
  }

  std::vector<std::string> Lines() {
    std::move(others_.begin(), others_.end(), std::back_inserter(actors_));
    return std::move(actors_);
  }

 private:
  // Numbers here go by the order in which actors are met: those of a search depend on its threads.
  DporActor NumberOf(DporActor actor) {
    if (numbers_[actor] != kNoDporActor) return numbers_[actor];
    const auto& [creator, nth, which] = keys_[actor];
    std::string line;
    if (creator == DporActors::kTask) {
      line = absl::StrCat("task ", nth);
    } else if (creator == kNoDporActor) {
      line = absl::StrCat("event - ", nth, " ", which);
    } else {
      line = absl::StrCat("event ", NumberOf(creator), " ", nth, " ", which);
    }
    actors_.push_back(std::move(line));
    return numbers_[actor] = static_cast<DporActor>(actors_.size() - 1);
  }

  std::string StepText(const DporStep& step) {
    if (step.actor == kNoDporActor) return "-";
    std::string text = absl::StrCat(NumberOf(step.actor), " ", step.asks ? "a" : "",
                                    step.fixed ? "f" : "", step.certain ? "c" : "");
    if (!step.asks && !step.fixed && !step.certain) text += '-';
    for (const Footprint& access : step.accesses) {
      text += ' ';
      text += kAccesses[static_cast<size_t>(access.access)];
      absl::StrAppend(&text, access.object.value);
    }
    return text;
  }

  void AddBranch(const DporBranch& branch) {
    std::string line = absl::StrCat("branch ", branch.next.size(), " ");
    line += kFates[static_cast<size_t>(branch.fate)];
    absl::StrAppend(&line, branch.whole ? "w " : " ", StepText(branch.step));
    others_.push_back(std::move(line));
    for (const DporBranch& next : branch.next) AddBranch(next);
  }

  void AddTaken(const Taken& taken) {
    std::string line = "taken";
    for (const size_t index : taken.place) absl::StrAppend(&line, " ", index);
    others_.push_back(std::move(line));
    for (size_t turn = 0; turn < taken.path.size(); ++turn) {
      for (const DporStep& elder : taken.path[turn].elders) {
        others_.push_back(absl::StrCat("elder ", turn, " ", StepText(elder)));
      }
    }
  }

  std::vector<DporActors::Key> keys_;
  std::vector<DporActor> numbers_;  // by the tree's
  std::vector<std::string> actors_, others_;
};

std::vector<std::string> DporTree::ToLines() const { return LineWriter(*this).Lines(); }

// --- Reading -------------------------------------------------------------------------------------

class DporTree::LineReader {
 public:
  LineReader(DporTree& tree, const std::vector<std::string>& lines) : tree_(tree), lines_(lines) {}

  std::optional<BadLine> Read() {
    const bool good = ReadActors() && ReadBranch(tree_.root_, true) && ReadAllTaken();
    if (good) return std::nullopt;
    return bad_;
  }

 private:
  bool AtEnd() const { return at_ == lines_.size(); }

  // Of the line at hand.
  bool Fail(const LineWords& words, std::string_view want) {
    bad_ = {at_, words.Want(want)};
    return false;
  }

  bool StartsWith(std::string_view word) const {
    return !AtEnd() && LineWords(lines_[at_]).Word() == word;
  }

  bool ReadActors() {
    for (; StartsWith("task") || StartsWith("event"); ++at_) {
      LineWords words(lines_[at_]);
      const bool is_task = words.Word() == "task";
      uint32_t creator = kNoDporActor, nth = 0, which = 0;
      if (!is_task && words.rest().starts_with("- ")) {
        (void)words.Word();
      } else if (!is_task && (!words.Number(creator) || creator >= actors_)) {
        return Fail(words, "an actor of a line before");
      }
      if (!words.Number(nth) || (!is_task && !words.Number(which)) || !words.AtEnd()) {
        return Fail(words, is_task ? "a number" : "two numbers");
      }
      const DporActor number =
          is_task ? tree_.actors_->Task(TaskId{nth}) : tree_.actors_->Event(creator, nth, which);
      if (number != actors_++) return Fail(LineWords(lines_[at_]), "another actor");
    }
    return true;
  }

  bool ReadStep(LineWords& words, DporStep& step) {
    if (!words.Number(step.actor) || step.actor >= actors_) {
      return Fail(words, "the number of an actor");
    }
    const std::string_view flags = words.Word();
    step.asks = flags.find('a') != flags.npos;
    step.fixed = flags.find('f') != flags.npos;
    step.certain = flags.find('c') != flags.npos;
    if (flags.empty() || flags.find_first_not_of("afc-") != flags.npos) {
      return Fail(LineWords(flags), "a, f and c, or -");
    }
    while (!words.AtEnd()) {
      Footprint& access = step.accesses.emplace_back();
      const size_t kind = kAccesses.find(words.rest().front());
      LineWords object(words.rest().substr(1));
      if (kind == kAccesses.npos || !object.Number(access.object.value)) {
        return Fail(words, "an access such as w7");
      }
      access.access = static_cast<Access>(kind);
      words = object;
    }
    if (step.asks && step.accesses.empty()) return Fail(words, "the lock that is asked for");
    return true;
  }

  bool ReadBranch(DporBranch& branch, bool is_root) {
    if (AtEnd()) return Fail(LineWords(""), "another branch");
    LineWords words(lines_[at_]);
    if (!StartsWith("branch")) return Fail(words, "a branch");
    (void)words.Word();
    size_t next = 0;
    if (!words.Number(next) || next >= lines_.size()) {
      return Fail(words, "how many branches are next");
    }
    const std::string_view fate = words.Word();
    const size_t kind = fate.empty() ? fate.npos : kFates.find(fate.front());
    branch.whole = fate.ends_with('w');
    if (kind == kFates.npos || fate.size() != (branch.whole ? 2u : 1u)) {
      return Fail(LineWords(fate), "o, d or x, and w or nothing");
    }
    branch.fate = static_cast<Fate>(kind);
    if (is_root ? words.rest() != "-" : !ReadStep(words, branch.step)) {
      return is_root ? Fail(words, "-") : false;
    }
    ++at_;
    for (size_t i = 0; i < next; ++i) {
      if (!ReadBranch(branch.next.emplace_back(), false)) return false;
    }
    return true;
  }

  bool ReadAllTaken() {
    while (!AtEnd()) {
      LineWords words(lines_[at_]);
      const std::string_view kind = words.Word();
      if (kind == "taken") {
        if (!ReadTaken(words)) return false;
      } else if (kind != "elder" || tree_.taken_.empty()) {
        return Fail(LineWords(lines_[at_]), "what is taken");
      } else if (!ReadElder(words)) {
        return false;
      }
      ++at_;
    }
    tree_.takes_again_ = !tree_.taken_.empty();
    return true;
  }

  bool ReadTaken(LineWords& words) {
    Taken& taken = tree_.taken_.emplace_back();
    const DporBranch* branch = &tree_.root_;
    while (!words.AtEnd()) {
      const LineWords before = words;
      size_t index = 0;
      if (!words.Number(index) || index >= branch->next.size()) {
        return Fail(before, "a branch that there is");
      }
      branch = &branch->next[index];
      taken.place.push_back(index);
      taken.path.push_back({branch->step.actor, {}});
    }
    if (!branch->next.empty()) return Fail(words, "the way to a leaf");
    return true;
  }

  bool ReadElder(LineWords& words) {
    DporPath& path = tree_.taken_.back().path;
    size_t turn = 0;
    if (!words.Number(turn) || turn >= path.size()) return Fail(words, "a turn of the way");
    return ReadStep(words, path[turn].elders.emplace_back());
  }

  DporTree& tree_;
  const std::vector<std::string>& lines_;
  size_t at_ = 0;
  DporActor actors_ = 0;  // read so far
  BadLine bad_;
};

std::optional<BadLine> DporTree::FromLines(const std::vector<std::string>& lines) {
  return LineReader(*this, lines).Read();
}

}  // namespace sim
