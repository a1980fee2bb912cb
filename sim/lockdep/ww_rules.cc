#include "sim/lockdep/ww_rules.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace sim {

void WwRules::ww_acquire_init(const std::string& ctx, const std::string& ww_class) {
  contexts_[ctx] = {.ww_class = ww_class, .contending_lock = ""};
}

std::string_view WwRules::ww_acquire_done(const std::string& ctx) {
  Context& context = contexts_[ctx];
  if (context.done_acquire) return "ctx->done_acquire";
  context.done_acquire = true;
  return "";
}

std::string_view WwRules::ww_acquire_fini(const std::string& ctx) {
  return contexts_[ctx].acquired != 0 ? "ctx->acquired" : "";
}

std::string_view WwRules::ww_mutex_lock_acquired(const std::string& ww, const std::string& ww_class,
                                                 const std::string& ctx) {
  Context& context = contexts_[ctx];
  std::string_view failed;
  const auto check = [&failed](bool bad, std::string_view what) {
    if (bad && failed.empty()) failed = what;
  };
  check(!owner_ctx_[ww].empty(), "ww->ctx");
  check(context.done_acquire, "ww_ctx->done_acquire");
  if (!context.contending_lock.empty()) {
    check(context.contending_lock != ww, "ww_ctx->contending_lock != ww");
    check(context.acquired > 0, "ww_ctx->acquired > 0");
    context.contending_lock.clear();
  }
  check(context.ww_class != ww_class, "ww_ctx->ww_class != ww->ww_class");
  ++context.acquired;
  owner_ctx_[ww] = ctx;
  return failed;
}

std::string_view WwRules::ww_mutex_kill(const std::string& ww, const std::string& ctx) {
  Context& context = contexts_[ctx];
  const bool contends = !context.contending_lock.empty();
  context.contending_lock = ww;
  return contends ? "ww_ctx->contending_lock" : "";
}

std::string_view WwRules::ww_mutex_lock_slow(const std::string& ctx) {
  return contexts_[ctx].contending_lock.empty() ? "!ctx->contending_lock" : "";
}

std::string_view WwRules::ww_mutex_unlock(const std::string& ww) {
  const std::string ctx = std::exchange(owner_ctx_[ww], "");
  if (ctx.empty()) return "";
  Context& context = contexts_[ctx];
  if (context.acquired == 0) return "!lock->ctx->acquired";
  --context.acquired;
  return "";
}

bool WwRules::Poke(const std::string& what) {
  const std::vector<std::string> words = absl::StrSplit(what, ' ', absl::SkipEmpty());
  if (words.size() >= 5 && words[0] == "copy" && words[1] == "ctx" && words[3] == "to") {
    contexts_["ctx." + words[4]] = contexts_["ctx." + words[2]];
    return true;
  }
  if (words.size() >= 5 && words[1] == "=" && words[2] == "copy" && words[3] == "of") {
    contexts_["ctx." + words[0]] = contexts_["ctx." + words[4]];
    return true;
  }
  if (words.size() != 3 || words[1] != "=") return false;
  const std::vector<std::string> target = absl::StrSplit(words[0], '.');
  if (target.size() != 2) return false;
  return Assign(target[0], target[1], words[2] == "none" ? "" : words[2]);
}

bool WwRules::Assign(const std::string& object, std::string_view field, const std::string& value) {
  const std::string lock = value.empty() ? "" : "ww." + value;
  const std::string ctx = value.empty() ? "" : "ctx." + value;
  if (field == "owner_ctx") {
    owner_ctx_["ww." + object] = ctx;
    return true;
  }
  Context& context = contexts_["ctx." + object];
  int number = 0;
  if (field == "ww_class") {
    context.ww_class = value;
  } else if (field == "contending_lock") {
    context.contending_lock = lock;
  } else if (field == "acquired" && absl::SimpleAtoi(value, &number)) {
    context.acquired = number;
  } else if (field == "done_acquire" && absl::SimpleAtoi(value, &number)) {
    context.done_acquire = number != 0;
  } else {
    return false;
  }
  return true;
}

}  // namespace sim
