#include "model/scenario/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "model/scenario/fields.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/reader.h"
#include "model/scenario/text.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "sim/engine/digest.h"
#include "sim/trace/schedule_text.h"

namespace scenario {
namespace {

constexpr std::array<int64_t, 1> kVersions = {1};
constexpr IntegerRange kCount = {0, INT64_MAX};

// A table as a file has it: numbers in a row.
using Numbers = std::vector<uint64_t>;

// What the file says, before texts and numbers have been looked into.
struct FileTables {
  int64_t version = kVersions[0];
  std::string content = "-";  // the digest of all else, once it is known
  Numbers digest;             // three words
  Numbers crash_families;     // how many sectors there are of each kind, in how many families
  Numbers choice_points, final_states, policies_asked;
  int64_t coverage_executions = 0;
  struct LockClass {
    std::string name;
    Numbers times;  // of waits and holds, exclusive and shared: 4 each; bounces
    struct Place {
      std::string where;
      uint64_t count = 0;
    };
    std::vector<Place> contention, contending;
  };
  std::vector<LockClass> lock_classes;
  struct Way {
    std::string schedule, digest;
  };
  std::vector<Way> ways;
};

// --- Tables --------------------------------------------------------------------------------------

Numbers FamilyNumbers(const model::StateCount& states) {
  Numbers numbers;
  for (const auto& [sectors, families] : states.count()) {
    numbers.push_back(sectors.size());
    numbers.insert(numbers.end(), sectors.begin(), sectors.end());
    numbers.push_back(families);
  }
  return numbers;
}

bool ReadFamilies(const Numbers& numbers, model::StateCount& states) {
  for (size_t i = 0; i < numbers.size();) {
    const uint64_t size = numbers[i++];
    if (size >= numbers.size() - i) return false;
    model::StateCount::Signature sectors;
    for (const size_t end = i + size; i < end; ++i) {
      if (numbers[i] > UINT32_MAX) return false;
      sectors.push_back(static_cast<uint32_t>(numbers[i]));
    }
    states.AddFamilies(sectors, numbers[i++]);
  }
  return true;
}

Numbers FirstSeenNumbers(const CoverageTable::FirstSeen& things) {
  Numbers numbers;
  for (const auto& [thing, execution] : things) {
    numbers.push_back(thing);
    numbers.push_back(static_cast<uint64_t>(execution));
  }
  return numbers;
}

bool ReadFirstSeen(const Numbers& numbers, int64_t executions, CoverageTable::FirstSeen& things) {
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) {
    if (numbers[i + 1] >= static_cast<uint64_t>(executions)) return false;
    things.emplace(numbers[i], static_cast<int64_t>(numbers[i + 1]));
  }
  return numbers.size() % 2 == 0;
}

constexpr size_t kTimesOfClass = 20;

FileTables::LockClass LockClassOf(const std::string& name, const sim::LockStat::ClassStat& stat) {
  FileTables::LockClass one{.name = name, .times = {}, .contention = {}, .contending = {}};
  for (const auto* times : {&stat.waits, &stat.holds}) {
    for (const sim::LockTimes& time : *times) {
      one.times.insert(one.times.end(),
                       {time.count, static_cast<uint64_t>(time.min),
                        static_cast<uint64_t>(time.max), static_cast<uint64_t>(time.total)});
    }
  }
  for (const auto* bounces : {&stat.contended_bounces, &stat.acquired_bounces}) {
    one.times.insert(one.times.end(), bounces->begin(), bounces->end());
  }
  for (const auto& [where, count] : stat.contention_points)
    one.contention.push_back({where, count});
  for (const auto& [where, count] : stat.contending_points)
    one.contending.push_back({where, count});
  return one;
}

bool ReadLockClass(const FileTables::LockClass& one, sim::LockStat::Classes& classes) {
  if (one.times.size() != kTimesOfClass) return false;
  sim::LockStat::ClassStat& stat = classes[one.name];
  const uint64_t* number = one.times.data();
  for (auto* times : {&stat.waits, &stat.holds}) {
    for (sim::LockTimes& time : *times) {
      time.count = *number++;
      for (sim::Nanos* value : {&time.min, &time.max, &time.total}) {
        *value = static_cast<sim::Nanos>(*number++);
      }
    }
  }
  for (auto* bounces : {&stat.contended_bounces, &stat.acquired_bounces}) {
    for (uint64_t& count : *bounces) count = *number++;
  }
  for (const auto& place : one.contention) stat.contention_points[place.where] = place.count;
  for (const auto& place : one.contending) stat.contending_points[place.where] = place.count;
  return true;
}

bool ReadDigest(const std::string& hex, sim::Digest& digest) {
  const auto half = [&](size_t at, uint64_t& word) {
    const char* begin = hex.data() + at;
    return std::from_chars(begin, begin + 16, word, 16).ptr == begin + 16;
  };
  return hex.size() == 32 && half(0, digest.high) && half(16, digest.low);
}

FileTables TablesOf(const Checkpoint& checkpoint) {
  FileTables tables;
  const CoverageTable::Seen& seen = checkpoint.tally.coverage.seen();
  tables.digest = {checkpoint.digest.high, checkpoint.digest.low, checkpoint.digest.words};
  tables.crash_families = FamilyNumbers(checkpoint.tally.crash_states);
  tables.coverage_executions = seen.executions;
  tables.choice_points = FirstSeenNumbers(seen.choice_points);
  tables.final_states = FirstSeenNumbers(seen.final_states);
  tables.policies_asked.assign(seen.policies_asked.begin(), seen.policies_asked.end());
  for (const auto& [name, stat] : checkpoint.tally.lock_stat.classes()) {
    tables.lock_classes.push_back(LockClassOf(name, stat));
  }
  for (const Checkpoint::NumberedWay& one : checkpoint.ways) {
    tables.ways.push_back({sim::FormatSchedule(one.way.schedule), one.way.digest.ToHex()});
  }
  return tables;
}

// What is wrong with them.
std::vector<Problem> ReadTables(const FileTables& tables, Checkpoint& checkpoint) {
  std::vector<Problem> problems;
  const auto want = [&](bool good, std::string pointer, const char* what) {
    if (!good) problems.push_back({std::move(pointer), Cat("want ", what)});
    return good;
  };
  if (want(tables.digest.size() == 3, "/digest", "three numbers")) {
    checkpoint.digest = {tables.digest[0], tables.digest[1], tables.digest[2]};
  }
  want(ReadFamilies(tables.crash_families, checkpoint.tally.crash_states), "/crash_families",
       "families: a number of sectors, so many below 2^32, a number");
  CoverageTable::Seen seen;
  seen.executions = tables.coverage_executions;
  const char* const kThings =
      "things and executions in turn, the latter below /coverage/executions";
  want(ReadFirstSeen(tables.choice_points, seen.executions, seen.choice_points),
       "/coverage/choice_points", kThings);
  want(ReadFirstSeen(tables.final_states, seen.executions, seen.final_states),
       "/coverage/final_states", kThings);
  if (want(tables.policies_asked.size() == seen.policies_asked.size(), "/coverage/policies_asked",
           "a number for each policy that there is")) {
    std::copy(tables.policies_asked.begin(), tables.policies_asked.end(),
              seen.policies_asked.begin());
  }
  checkpoint.tally.coverage = CoverageTable(std::move(seen));
  sim::LockStat::Classes classes;
  for (size_t i = 0; i < tables.lock_classes.size(); ++i) {
    want(ReadLockClass(tables.lock_classes[i], classes), Cat("/lock_stat/", i, "/times"),
         "20 numbers");
  }
  checkpoint.tally.lock_stat = sim::LockStat(std::move(classes));
  for (size_t i = 0; i < tables.ways.size(); ++i) {
    Checkpoint::NumberedWay& one = checkpoint.ways[i];
    want(ReadDigest(tables.ways[i].digest, one.way.digest), Cat("/ways/", i, "/digest"),
         "32 hexadecimal digits");
    want(i == 0 || checkpoint.ways[i - 1].execution < one.execution, Cat("/ways/", i, "/execution"),
         "a number above the one before");
    auto schedule = sim::ParseSchedule(tables.ways[i].schedule);
    if (schedule.ok()) {
      one.way.schedule = *std::move(schedule);
    } else {
      problems.push_back({Cat("/ways/", i, "/schedule"), std::string(schedule.status().message())});
    }
  }
  return problems;
}

// --- Fields --------------------------------------------------------------------------------------

void VisitIdentity(FieldVisitor& v, SearchIdentity& search) {
  v.Text({"scenario", "The name of the scenario.", Need::kRequired}, TextRule::kName,
         search.scenario);
  v.Text({"strategy", "Of the search.", Need::kRequired}, TextRule::kText, search.strategy);
  v.Integer({"seed", "Of the search.", Need::kRequired}, {}, search.seed);
  v.Integer({"max_preemptions", "Of the search."}, kCount, search.max_preemptions);
  v.Boolean({"races", "Looks for data races.", Need::kRequired}, search.races);
  v.Boolean({"guards", "--guards", Need::kRequired}, search.guards);
  v.Boolean({"coverage", "--coverage", Need::kRequired}, search.coverage);
  v.Boolean({"lock_stat", "--proc", Need::kRequired}, search.lock_stat);
  v.Integer({"enumerate", "--enumerate"}, {}, search.enumerate);
  v.Integer({"part_executions", "Of a subtree at a time.", Need::kRequired}, kCount,
            search.part_executions);
  v.Text({"scenario_digest", "Of what else it says.", Need::kRequired}, TextRule::kText,
         search.scenario_digest);
}

void VisitTally(FieldVisitor& v, Tally& tally) {
  const auto number = [&](std::string_view name, std::string_view about, uint64_t& value) {
    v.Integer({name, about, Need::kRequired}, kCount, value);
  };
  number("redundant", "Executions given up.", tally.redundant);
  number("turns", "Of all executions.", tally.turns);
  number("most_turns", "Of one execution.", tally.most_turns);
  number("most_actors", "Of one execution.", tally.most_actors);
  number("clock_reads", "Executions that read the clock.", tally.clock_reads);
  number("beyond_limit", "Executions that a fair scheduler ended.", tally.beyond_limit);
  v.Object({"enumerated", "--enumerate", Need::kRequired}, [&] {
    model::EnumerationCount& count = tally.enumerated;
    number("families", "Built.", count.families);
    number("larger", "Not built.", count.larger);
    number("states", "Built.", count.states);
    number("disagreements", "Of families and states.", count.disagreements);
    v.Text({"first_disagreement", "In one line."}, TextRule::kText, count.first_disagreement);
  });
}

void VisitLockClass(FieldVisitor& v, FileTables::LockClass& one) {
  const auto place = [&](FileTables::LockClass::Place& place) {
    v.Text({"where", "A place."}, TextRule::kText, place.where);
    v.Integer({"count", "How often.", Need::kRequired}, {}, place.count);
  };
  v.Text({"class", "Its name.", Need::kRequired}, TextRule::kText, one.name);
  v.Numbers({"times", "Of waits and holds.", Need::kRequired}, one.times);
  v.List<FileTables::LockClass::Place>({"contention", "Where it is waited for."}, one.contention,
                                       place);
  v.List<FileTables::LockClass::Place>({"contending", "Where who had it took it."}, one.contending,
                                       place);
}

void VisitWays(FieldVisitor& v, std::vector<Checkpoint::NumberedWay>& ways,
               std::vector<FileTables::Way>& texts) {
  v.ListOf(
      {"ways", "Executions that showed something first.", Need::kRequired}, {}, ways.size(),
      [&](size_t i) {
        if (ways.size() <= i) ways.resize(i + 1);
        if (texts.size() <= i) texts.resize(i + 1);
        v.Integer({"execution", "Its number.", Need::kRequired}, kCount, ways[i].execution);
        v.Boolean({"given_up", "By the strategy.", Need::kRequired}, ways[i].way.given_up);
        v.Text({"digest", "Of the execution.", Need::kRequired}, TextRule::kText, texts[i].digest);
        v.Text({"schedule", "Its turns."}, TextRule::kText, texts[i].schedule);
      });
}

void VisitCheckpoint(FieldVisitor& v, Checkpoint& checkpoint, FileTables& tables) {
  v.IntegerOf({"crashdep_checkpoint", "Version of the format.", Need::kRequired}, kVersions,
              tables.version);
  v.Text({"content", "Digest of all else.", Need::kRequired}, TextRule::kText, tables.content);
  v.Object({"search", "Which one it is.", Need::kRequired},
           [&] { VisitIdentity(v, checkpoint.search); });
  v.Integer({"executions", "So far.", Need::kRequired}, kCount, checkpoint.executions);
  v.Numbers({"digest", "Of all executions so far.", Need::kRequired}, tables.digest);
  v.Object({"tally", "Counts.", Need::kRequired}, [&] { VisitTally(v, checkpoint.tally); });
  v.Numbers({"crash_families", "By how many contents sectors may have.", Need::kRequired},
            tables.crash_families);
  v.Object({"coverage", "First executions.", Need::kRequired}, [&] {
    v.Integer({"executions", "Looked at.", Need::kRequired}, kCount, tables.coverage_executions);
    v.Numbers({"choice_points", "And where first.", Need::kRequired}, tables.choice_points);
    v.Numbers({"final_states", "And where first.", Need::kRequired}, tables.final_states);
    v.Numbers({"policies_asked", "How often.", Need::kRequired}, tables.policies_asked);
  });
  v.List<FileTables::LockClass>({"lock_stat", "By class."}, tables.lock_classes,
                                [&](FileTables::LockClass& one) { VisitLockClass(v, one); });
  v.List<Checkpoint::Finding>(
      {"findings", "In order of first sight.", Need::kRequired}, checkpoint.findings,
      [&](Checkpoint::Finding& finding) {
        v.Text({"kind", "Its kind.", Need::kRequired}, TextRule::kText, finding.kind);
        v.Text({"message", "Its message.", Need::kRequired}, TextRule::kText, finding.message);
        v.Integer({"count", "How often.", Need::kRequired}, kCount, finding.count);
      });
  v.Numbers({"guards", "How often each row was seen.", Need::kRequired}, checkpoint.guards);
  VisitWays(v, checkpoint.ways, tables.ways);
  v.TextList({"tree", "What is left.", Need::kRequired}, TextRule::kText, checkpoint.tree);
}

// `content` is then the digest of all else.
nlohmann::ordered_json JsonOf(Checkpoint checkpoint) {
  FileTables tables = TablesOf(checkpoint);
  auto json = ToJson([&](FieldVisitor& v) { VisitCheckpoint(v, checkpoint, tables); });
  sim::Digest128 digest;
  digest.AddString(json.dump());
  json["content"] = digest.Value().ToHex();
  return json;
}

}  // namespace

SearchIdentity IdentityOf(const Scenario& scenario, const RunOptions& options) {
  Scenario plain = scenario;
  plain.about.clear();
  plain.models.clear();
  plain.expect = {};
  plain.search.executions.reset();
  plain.search.max_preemptions.reset();
  plain.search.strategy = {};
  plain.search.seed = 0;
  sim::Digest128 digest;
  digest.AddString(ToJson(plain).dump());
  return {.scenario = scenario.name,
          .strategy = std::string(kStrategyNames[static_cast<size_t>(scenario.search.strategy)]),
          .seed = scenario.search.seed,
          .max_preemptions = scenario.search.max_preemptions,
          .races = options.races,
          .guards = options.guards,
          .coverage = options.coverage,
          .lock_stat = options.lock_stat,
          .enumerate = options.enumerate,
          .part_executions = options.part_executions,
          .scenario_digest = digest.Value().ToHex()};
}

std::string CheckpointText(const Checkpoint& checkpoint) {
  return JsonOf(checkpoint).dump(0) + "\n";
}

absl::StatusOr<CheckpointFile> CheckpointFile::Read(std::string path, std::string_view text) {
  absl::StatusOr<JsonValue> root = ParseJsonText(path, text);
  if (!root.ok()) return root.status();
  CheckpointFile file;
  file.path_ = std::move(path);
  file.root_ = *std::move(root);
  if (file.root_.Find("crashdep_checkpoint") == nullptr) {
    return file.Wrong("", "no checkpoint of crashdep: want \"crashdep_checkpoint\"");
  }
  FileTables tables;
  std::vector<Problem> problems = ReadObject(
      file.root_, [&](FieldVisitor& v) { VisitCheckpoint(v, file.checkpoint_, tables); });
  const auto version = std::find_if(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.pointer == "/crashdep_checkpoint";
  });
  if (version != problems.end()) problems = {*version};  // then nothing else need be as here
  if (problems.empty()) problems = ReadTables(tables, file.checkpoint_);
  if (!problems.empty()) return ProblemStatus(file.path_, file.root_, problems);
  if (const std::string content = JsonOf(file.checkpoint_)["content"]; content != tables.content) {
    return file.Wrong("/content", Cat("want ", content, ", the digest of what the file says, got ",
                                      Quoted(tables.content), ": it is not as it was written"));
  }
  return file;
}

absl::Status CheckpointFile::CheckIsOf(const SearchIdentity& search) const {
  const auto json = [](SearchIdentity identity) {
    return ToJson([&](FieldVisitor& v) { VisitIdentity(v, identity); });
  };
  const auto here = json(search), there = json(checkpoint_.search);
  for (const auto& [key, value] : here.items()) {
    const auto other = there.find(key);
    if (other != there.end() && *other == value) continue;
    const bool is_digest = key == "scenario_digest";
    return Wrong(PointerTo("/search", key),
                 Cat("want ", value.dump(), ", as this search has, got ",
                     other == there.end() ? "nothing" : other->dump(),
                     is_digest ? ": the scenario is not as it was then" : ""));
  }
  for (const auto& [key, value] : there.items()) {
    if (here.contains(key)) continue;
    return Wrong(PointerTo("/search", key),
                 Cat("want none, as this search has, got ", value.dump()));
  }
  return absl::OkStatus();
}

absl::Status CheckpointFile::Wrong(std::string pointer, std::string message) const {
  return ProblemStatus(path_, root_, {{std::move(pointer), std::move(message)}});
}

}  // namespace scenario
