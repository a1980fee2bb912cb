// Reports as JSON.

#include "nlohmann/json.hpp"
#include "sim/lockdep/report.h"

namespace sim {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const LockUse& use) {
  Json frames = Json::array();
  for (const FrameSite* frame : use.frames) frames.push_back(frame->function);
  Json json = {{"lock", use.lock.Text()},
               {"usage", UsageString(use.lock.usage)},
               {"read", static_cast<int>(use.read)}};
  if (use.trylock) json["try"] = true;
  if (use.sync) json["sync"] = true;
  if (!use.instance.empty()) json["instance"] = use.instance;
  json["file"] = use.site.file;
  json["line"] = use.site.line;
  json["at"] = PlaceText(use.frames, use.site);
  json["frames"] = std::move(frames);
  return json;
}

bool IsAboutIrqs(ReportKind kind) {
  return kind == ReportKind::kInconsistentUsage || kind == ReportKind::kIrqInversion ||
         kind == ReportKind::kIrqOrder;
}

}  // namespace

Json ToJson(const std::vector<LockEdge>& edges) {
  Json json = Json::array();
  for (const LockEdge& edge : edges) {
    json.push_back({{"held", ToJson(edge.held)},
                    {"acquired", ToJson(edge.acquired)},
                    {"task", edge.actor.name},
                    {"execution", edge.actor.execution},
                    {"step", edge.actor.step}});
    if (edge.learnt) json.back()["learnt"] = true;
  }
  return json;
}

Json ToJson(const LockCycle& cycle) { return ToJson(cycle.edges); }

Json ToJson(const LockReport& report) {
  Json json = {{"kind", FindingKind(report.kind)}, {"message", Message(report)},
               {"task", report.actor.name},        {"execution", report.actor.execution},
               {"step", report.actor.step},        {"lock", ToJson(report.lock)}};
  if (!report.holding.lock.name.empty()) json["holding"] = ToJson(report.holding);
  if (report.kind == ReportKind::kLockCycle) {
    json["cycle"] = ToJson(report.cycle);
    json["verdict"] = VerdictName(report.cycle.verdict);
    if (!report.cycle.why.empty()) json["why"] = report.cycle.why;
  }
  if (IsAboutIrqs(report.kind)) {
    json["irq_safe"] = {{"usage", UsageName(report.irq.safe_bit)},
                        {"use", ToJson(report.irq.safe)}};
    json["irq_unsafe"] = {{"usage", UsageName(report.irq.unsafe_bit)},
                          {"use", ToJson(report.irq.unsafe)}};
    json["path"] = ToJson(report.irq.path);
  }
  Json held = Json::array();
  for (const LockUse& use : report.held) held.push_back(ToJson(use));
  json["held"] = std::move(held);
  return json;
}

}  // namespace sim
