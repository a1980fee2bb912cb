// Tasks that take and give locks step by step, in the order that the test says.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/engine/world.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

// The task wanted goes as long as it can; events come when no task can go.
class Puppeteer final : public Strategy {
 public:
  void Want(TaskId task) { wanted_ = task; }

  size_t Choose(const ChoicePoint& point) override {
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      if (point.candidates[i].actor == Actor{Actor::Kind::kTask, wanted_.value}) return i;
    }
    return 0;
  }

 private:
  TaskId wanted_;
};

// Actors are tasks that do what they are told, one call at a time, and say when they are parked.
class LockingTest : public testing::Test {
 protected:
  using Call = absl::AnyInvocable<void()>;

  // Has `actor` make `call` and go on until that has returned or the actor is parked.
  void Do(const std::string& actor, Call call) { script_.push_back({actor, std::move(call)}); }
  // Looks at the state in between.
  void Check(Call check) { script_.push_back({"", std::move(check)}); }

  // Runs all that was said; then every actor that can returns.
  ExecutionEnd Play() {
    for (const Line& line : script_) {
      if (!line.actor.empty()) AddActor(line.actor);
    }
    Task& director = world_.Spawn("director", TaskKind::kUser, [this] { Direct(); });
    puppeteer_.Want(director.id());
    return world_.Run();
  }

  // Actors whose last call has not returned, in order of appearance.
  std::vector<std::string> Parked() const {
    std::vector<std::string> parked;
    for (const auto& actor : actors_) {
      if (actor->task->state() == Task::State::kParked && !actor->idle) {
        parked.push_back(actor->task->name());
      }
    }
    return parked;
  }

  // What was reported, by the engine and by the lock checker.
  std::vector<std::string> Messages() const {
    std::vector<std::string> messages;
    for (const Finding& finding : world_.findings()) messages.push_back(finding.message);
    return messages;
  }
  std::vector<ReportKind> Reports() const {
    std::vector<ReportKind> kinds;
    for (const LockReport& report : validator_.reports()) kinds.push_back(report.kind);
    return kinds;
  }

  Puppeteer puppeteer_;
  StackPool pool_;
  StackTable stacks_;
  Validator validator_;
  World world_{{.max_turns = 10'000}, puppeteer_, pool_, stacks_};
  LockTracker tracker_{world_, validator_};

 private:
  struct Line {
    std::string actor;
    Call call;
  };
  struct Prompt final : Waitable {
    using Waitable::Waitable;
    std::string Describe() const override { return "the director"; }
  };
  struct Player {
    Task* task = nullptr;
    Call call;
    bool idle = true;  // between calls
  };

  void AddActor(const std::string& name) {
    if (by_name_.contains(name)) return;
    actors_.push_back(std::make_unique<Player>());
    Player& player = *actors_.back();
    by_name_[name] = &player;
    player.task = &world_.Spawn(name, TaskKind::kUser, [this, &player] { Act(player); });
  }

  void Act(Player& player) {
    for (;;) {
      if (player.call == nullptr && !over_) world_.Park(prompt_);
      if (over_ && player.call == nullptr) return;
      player.idle = false;
      Call call = std::move(player.call);
      player.call = nullptr;
      call();
      player.idle = true;
    }
  }

  // The director has to be parked for others to go on; it comes back by a timer, after them.
  void LetGo(Task& task) {
    puppeteer_.Want(task.id());
    world_.SleepFor(1'000'000);
    puppeteer_.Want(world_.current().id());
  }

  void Direct() {
    for (const auto& actor : actors_) LetGo(*actor->task);
    for (Line& line : script_) {
      if (line.actor.empty()) {
        line.call();
        continue;
      }
      Player& player = *by_name_.at(line.actor);
      ASSERT_TRUE(player.idle) << line.actor << " is still in its last call";
      player.call = std::move(line.call);
      world_.Wake(*player.task);
      LetGo(*player.task);
    }
    over_ = true;
    for (const auto& actor : actors_) {
      if (actor->idle && actor->task->state() == Task::State::kParked) world_.Wake(*actor->task);
    }
  }

  Prompt prompt_{world_.NewObject()};
  std::vector<Line> script_;
  std::vector<std::unique_ptr<Player>> actors_;  // in order of appearance
  std::map<std::string, Player*> by_name_;
  bool over_ = false;
};

}  // namespace sim
