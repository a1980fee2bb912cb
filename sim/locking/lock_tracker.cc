#include "sim/locking/lock_tracker.h"

#include "absl/strings/str_cat.h"

namespace sim {

std::string InstanceName::Text() const {
  if (*kind == '\0') return "";
  std::string text = absl::StrCat(kind, " ", number);
  if (index != kNoIndex) absl::StrAppend(&text, ":", index);
  return text;
}

std::string Lock::Describe() const {
  const std::string instance = name_.Text();
  return absl::StrCat(tracker().validator().ClassName(class_), instance.empty() ? "" : " of ",
                      instance);
}

}  // namespace sim
