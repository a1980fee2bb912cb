#include "tools/lockdep_command.h"

#include <memory>
#include <utility>

#include "nlohmann/json.hpp"
#include "sim/lockdep/graph_diff.h"
#include "tools/bad_input.h"
#include "tools/lock_source.h"
#include "tools/lock_table.h"
#include "tools/order_file.h"
#include "tools/order_report.h"
#include "tools/output_file.h"
#include "tools/suppressions.h"

namespace tools {
namespace {

using Locks = std::shared_ptr<const sim::Validator>;

nlohmann::ordered_json ToJson(const sim::Validator::Conclusions& conclusions,
                              const Suppressions& suppressions,
                              const std::optional<OrderReport>& orders) {
  nlohmann::ordered_json json = {{"reports", nlohmann::ordered_json::array()},
                                 {"excluded_cycles", nlohmann::ordered_json::array()}};
  for (const sim::LockReport& report : conclusions.found) {
    json["reports"].push_back(sim::ToJson(report));
  }
  for (const sim::LockReport& report : conclusions.excluded) {
    json["excluded_cycles"].push_back({{"message", sim::Message(report)},
                                       {"verdict", sim::VerdictName(report.cycle.verdict)},
                                       {"why", report.cycle.why}});
  }
  if (conclusions.more_cycles) json["more_cycles"] = true;
  json["suppressions"] = suppressions.ToJson();
  if (orders) json["documented_orders"] = orders->ToJson();
  return json;
}

ExitCode Check(const LockdepArguments& arguments, const std::optional<sim::LockOrders>& orders,
               Suppressions& suppressions, Console console) {
  auto json = OutputFile::OpenIfAsked(arguments.json);
  if (!json.ok()) return Refuse(json.status(), console);
  ExitCode exit_code = ExitCode::kAsExpected;
  LockImporter importer;
  bool has_locks = false;
  for (const std::string& path : arguments.paths) {
    const auto texts = ReadLockTexts(path);
    if (texts.ok() && texts->size() == 1 && IsLockTable(texts->front().text)) {
      exit_code = Worse(exit_code,
                        CheckLockTable(path, texts->front().text, arguments.show_reports, console));
      continue;
    }
    const absl::Status status = texts.ok() ? ImportLocks(path, *texts, importer) : texts.status();
    if (status.ok()) {
      has_locks = true;
    } else {
      exit_code = Refuse(status, console);
    }
  }
  if (!has_locks) return exit_code;
  const sim::Validator::Conclusions conclusions = importer.validator().Conclude();
  console.out << RenderText(importer, conclusions);
  for (const sim::LockReport& report : conclusions.found) {
    if (suppressions.Covers(sim::FindingKind(report.kind), sim::Message(report))) continue;
    exit_code = Worse(exit_code, ExitCode::kNotAsExpected);
  }
  console.out << suppressions.Text();
  exit_code = Worse(exit_code, suppressions.exit_code());
  const absl::Status written = WriteLocks(importer.validator(), nullptr, arguments.outputs);
  if (!written.ok()) exit_code = Refuse(written, console);
  std::optional<OrderReport> report;
  if (orders) {
    report.emplace(*orders).Add("", importer.validator(), true);
    console.out << "\n" << report->Text();
    exit_code = Worse(exit_code, report->exit_code());
  }
  if (!json->has_value()) return exit_code;
  const absl::Status status =
      (*json)->Write(ToJson(conclusions, suppressions, report).dump(2) + "\n");
  return status.ok() ? exit_code : Refuse(status, console);
}

ExitCode Compare(const LockdepArguments& arguments, const std::optional<sim::LockOrders>& orders,
                 const Backend& backend, Console console) {
  if (arguments.paths.size() != 2) {
    return Refuse(absl::InvalidArgumentError("lockdep --diff: want two paths"), console);
  }
  auto json = OutputFile::OpenIfAsked(arguments.json);
  if (!json.ok()) return Refuse(json.status(), console);
  std::vector<Locks> locks;
  for (const std::string& path : arguments.paths) {
    const absl::StatusOr<Locks> read = ReadLocks(path, backend);
    if (!read.ok()) return Refuse(read.status(), console);
    locks.push_back(*read);
  }
  sim::GraphDiff diff;
  if (orders) {
    const sim::ClassNames names(orders->classes);
    diff = sim::Diff(*sim::Project(*locks[0], names), *sim::Project(*locks[1], names));
  } else {
    diff = sim::Diff(*locks[0], *locks[1]);
  }
  const std::string& a = arguments.paths[0];
  const std::string& b = arguments.paths[1];
  console.out << sim::RenderText(diff, a, b);
  if (json->has_value()) {
    const absl::Status written = (*json)->Write(sim::ToJson(diff, a, b).dump(2) + "\n");
    if (!written.ok()) return Refuse(written, console);
  }
  return diff.empty() ? ExitCode::kAsExpected : ExitCode::kNotAsExpected;
}

}  // namespace

ExitCode LockdepCommand(const LockdepArguments& arguments, const Backend& backend,
                        Console console) {
  std::optional<sim::LockOrders> orders;
  if (arguments.order) {
    absl::StatusOr<sim::LockOrders> loaded = LoadLockOrders(*arguments.order);
    if (!loaded.ok()) return Refuse(loaded.status(), console);
    orders = *std::move(loaded);
  }
  Suppressions suppressions;
  if (arguments.suppressions) {
    absl::StatusOr<Suppressions> loaded = Suppressions::Load(*arguments.suppressions);
    if (!loaded.ok()) return Refuse(loaded.status(), console);
    suppressions = *std::move(loaded);
  }
  return arguments.diff ? Compare(arguments, orders, backend, console)
                        : Check(arguments, orders, suppressions, console);
}

}  // namespace tools
