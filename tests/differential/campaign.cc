#include "tests/differential/campaign.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/image/write_image.h"
#include "model/scenario/execution.h"
#include "model/scenario/runner.h"
#include "sim/engine/random.h"
#include "tests/differential/image_check.h"
#include "tests/differential/random_scenario.h"

namespace differential {
namespace {

using model::CrashScene;
using model::DiskState;

constexpr size_t kMaxDisagreements = 10;
constexpr int kMaxStatesPerExecution = 6;
// A broken rule shows in few of them.
constexpr int kBrokenExecutions = 4;

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options)
      : options_(options),
        image_(options.directory + "/state.img"),
        journal_image_(image_ + ".journal"),
        mount_point_(options.directory + "/mnt") {
    std::filesystem::create_directories(mount_point_);
  }

  bool Done() const {
    return result_.states >= options_.states || result_.disagreements.size() >= kMaxDisagreements;
  }
  CampaignResult& result() { return result_; }

  // `where`: how to find the state again.
  void Check(const CrashScene& scene, const DiskState& state, bool data_writeback,
             const std::string& where) {
    const absl::StatusOr<model::DiskLayout> layout = model::LayoutOf(scene, state);
    if (!layout.ok()) return;  // too large for a mountable image
    const model::StateReport report = model::ReportState(scene, state, data_writeback);
    Count(*layout, report);
    Write(scene, *layout, state);
    const std::vector<WantedFile> wanted = WantedFiles(scene, *layout, report);
    const std::string wrong = report.sound ? CheckSound(wanted) : CheckUnsound(report);
    if (wrong.empty()) return;
    const std::string kept =
        absl::StrCat(options_.directory, "/disagreement", result_.disagreements.size(), ".img");
    Write(scene, *layout, state);
    std::filesystem::rename(image_, kept);
    if (!journal_.empty()) std::filesystem::rename(journal_, kept + ".journal");
    result_.disagreements.push_back(absl::StrCat(where, ": ", wrong, " (", kept, ")"));
  }

 private:
  void Count(const model::DiskLayout& layout, const model::StateReport& report) {
    ++result_.states;
    if (report.sound) ++result_.sound;
    const bool replays = report.outcome.recovered >= report.outcome.first;
    if (replays) ++result_.replayed;
    if (replays && layout.geometry.external_journal) ++result_.external;
    if (report.orphans > 0) ++result_.orphans;
    const auto& copies = report.outcome.copies;
    if (layout.padding() == 0 && !copies.empty() &&
        copies.front().log_pblk > copies.back().log_pblk) {
      ++result_.wrapped;
    }
  }

  void Write(const CrashScene& scene, const model::DiskLayout& layout, const DiskState& state) {
    std::ofstream out(image_, std::ios::binary | std::ios::trunc);
    model::WriteImage(scene, layout, state, out);
    journal_ = layout.geometry.external_journal ? journal_image_ : "";
    if (journal_.empty()) return;
    std::ofstream journal_out(journal_, std::ios::binary | std::ios::trunc);
    model::WriteJournalImage(scene, layout, state, journal_out);
  }

  static std::vector<WantedFile> WantedFiles(const CrashScene& scene,
                                             const model::DiskLayout& layout,
                                             const model::StateReport& report) {
    std::vector<WantedFile> wanted;
    for (const model::PredictedFile& file : report.files) {
      wanted.push_back(
          {.name = file.name,
           .file = {file.size_bytes, model::FileBytes(scene, layout, file), file.extents}});
    }
    return wanted;
  }

  std::string CheckSound(const std::vector<WantedFile>& wanted) {
    const std::string by_kernel = CheckByKernel(wanted);
    if (!by_kernel.empty()) return "kernel: " + by_kernel;
    std::vector<std::string> complaints = RunE2fsck(image_, journal_);
    if (complaints.empty()) complaints = RunE2fsckAgain(image_, journal_);
    if (!complaints.empty()) return "sound, but e2fsck: " + absl::StrJoin(complaints, " / ");
    return CompareThroughLibext2fs(image_, wanted);
  }

  std::string CheckUnsound(const model::StateReport& report) {
    if (!RunE2fsck(image_, journal_).empty()) return "";
    return "e2fsck has nothing against: " + absl::StrJoin(report.why_not, " / ");
  }

  std::string CheckByKernel(const std::vector<WantedFile>& wanted) {
    if (!options_.kernel || result_.states % 4 != 1 || !result_.why_not_mounted.empty()) return "";
    const std::string copy = options_.directory + "/mounted.img";
    const std::string journal_copy = journal_.empty() ? "" : copy + ".journal";
    const auto make_copies = [&] {
      constexpr auto kOverwrite = std::filesystem::copy_options::overwrite_existing;
      std::filesystem::copy_file(image_, copy, kOverwrite);
      if (!journal_.empty()) std::filesystem::copy_file(journal_, journal_copy, kOverwrite);
    };
    make_copies();
    if (result_.mounted == 0) {
      const auto why = WhyNoKernel(copy, journal_copy, mount_point_);
      if (why.has_value()) {
        result_.why_not_mounted = *why;
        return "";
      }
      make_copies();
    }
    ++result_.mounted;
    return CompareThroughKernel(copy, journal_copy, mount_point_, wanted);
  }

  const CampaignOptions& options_;
  const std::string image_;
  const std::string journal_image_;
  std::string journal_;  // that, or empty: as of the state at hand
  std::string mount_point_;
  CampaignResult result_;
};

// Picks states while a scenario runs.
class Picker : public model::CrashWatcher {
 public:
  Picker(Campaign& campaign, const scenario::Scenario& scenario, bool broken, uint64_t seed,
         int execution)
      : campaign_(campaign),
        scenario_(scenario),
        broken_(broken),
        execution_(execution),
        random_(seed + static_cast<uint64_t>(execution), "states") {}

  void OnFamily(const CrashScene& scene,
                const std::vector<model::PossibleRecovery>& recoveries) override {
    ++family_;
    // Where a rule is broken, what is found is of more interest.
    if (!random_.OneIn(1 + family_ / 8) || (broken_ && !random_.OneIn(8))) return;
    DiskState state =
        random_.OneIn(2) ? model::NewestState(scene.device) : model::OldestState(scene.device);
    if (random_.OneIn(2)) Shuffle(scene.device, state);
    if (random_.OneIn(2)) {
      model::LeadTo(scene, model::DeviceView(scene.device),
                    recoveries[random_.UniformBelow(recoveries.size())], state);
    }
    Check(scene, state, "");
  }
  void OnFault(const CrashScene& scene, const model::CrashFault&,
               const model::MinimalState& minimal, const sim::Finding& finding) override {
    if (finding.kind != "metadata" && finding.kind != "torn_operation" && !random_.OneIn(8)) return;
    Check(scene, minimal.state, " " + finding.kind + ": " + finding.message);
  }
  void OnEnd(const CrashScene& scene) override {
    states_ = 0;  // the end is of interest in any case: there the log may have wrapped
    Check(scene, model::NewestState(scene.device), " end");
  }

 private:
  void Shuffle(const sim::BlockDevice& device, DiskState& state) {
    const model::DeviceView view(device);
    for (const uint64_t sector : device.pending_sectors()) {
      const model::Possible contents = view.At(sector);
      state[sector] = contents[random_.UniformBelow(contents.size())];
    }
  }
  void Check(const CrashScene& scene, const DiskState& state, const std::string& what) {
    if (campaign_.Done() || ++states_ > kMaxStatesPerExecution) return;
    std::string rules;
    for (const auto& [name, value] : scenario_.policy) absl::StrAppend(&rules, " ", name);
    campaign_.Check(scene, state, scenario_.fs.data == scenario::DataMode::kWriteback,
                    absl::StrCat(scenario_.name, rules, ", execution ", execution_, ", family ",
                                 family_, ", turn ", scene.world.turns(), what));
  }

  Campaign& campaign_;
  const scenario::Scenario& scenario_;
  bool broken_ = false;
  int execution_ = 0;
  sim::RandomStream random_;
  uint64_t family_ = 0;
  int states_ = 0;
};

}  // namespace

CampaignResult RunCampaign(const CampaignOptions& options) {
  Campaign campaign(options);
  for (uint64_t i = 0; !campaign.Done(); ++i) {
    const uint64_t seed = options.seed * 1'000'000 + i;
    const bool broken = i % 3 == 2;
    const scenario::Scenario scenario = RandomScenario(seed, broken);
    if (!scenario::CheckFits(scenario).ok()) continue;
    scenario::Workbench bench(scenario, nullptr);
    sim::Validator locks;
    for (int execution = 0; execution < (broken ? kBrokenExecutions : 1); ++execution) {
      Picker picker(campaign, scenario, broken, seed, execution);
      (void)scenario::RunNumber(scenario.search, execution, bench, locks, {.watcher = &picker});
    }
  }
  return std::move(campaign.result());
}

std::string Summary(const CampaignResult& result) {
  std::string text = absl::StrFormat(
      "%d states: %d sound, %d not; %d with a journal to replay, %d where it wraps, %d where it is "
      "on a device of its own, %d with orphans\n",
      result.states, result.sound, result.states - result.sound, result.replayed, result.wrapped,
      result.external, result.orphans);
  if (result.why_not_mounted.empty()) {
    absl::StrAppendFormat(&text, "%d of them also mounted by this kernel\n", result.mounted);
  } else {
    absl::StrAppend(&text, "SKIPPED: this kernel's ext4: ", result.why_not_mounted, "\n");
  }
  for (const std::string& line : result.disagreements) absl::StrAppend(&text, line, "\n");
  absl::StrAppend(&text, result.disagreements.size(), " disagreements\n");
  return text;
}

}  // namespace differential
