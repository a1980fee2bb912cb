// Listens to an execution and makes a log of it: see execution_log.h.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/scenario/execution.h"
#include "model/scenario/execution_log.h"

namespace scenario {

class ExecutionLogger : public ExecutionRecorder {
 public:
  // `log` is empty and outlives this.
  explicit ExecutionLogger(model::ExecutionLog& log) : log_(log) {}

  void OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnFlushed(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) override;
  void OnCall(const std::string& thread, const Op& op) override;
  void OnReturn(const std::string& thread, const Op& op, const OpResult& result) override;
  void OnEnd(const model::Geometry& geometry, const model::ImageStore& images,
             const model::History& history,
             const std::vector<model::SectorContent>& before) override;

  // After the end: whether `log` is there.
  const absl::Status& status() const { return status_; }

 private:
  bool Promises(const Op& op, const std::set<std::string>& changed) const;

  model::ExecutionLog& log_;
  model::WriteLog writes_;
  absl::Status status_;
  std::map<std::string, std::vector<std::string>> changing_;  // by thread: the files
  std::map<std::string, std::set<std::string>> in_flight_;    // by thread: asynchronous writes
  std::map<std::string, std::set<std::string>> syncs_;        // by thread: files changed meanwhile
  std::set<std::string> unlinked_;                            // or renamed
  bool stopped_ = false;  // sync says that all is well, and does nothing
};

}  // namespace scenario
