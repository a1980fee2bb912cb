#include "sim/engine/instance_name.h"

namespace sim {

std::string InstanceName::Text() const {
  std::string text = kind;
  if (number != kNoNumber) text += " " + std::to_string(number);
  if (index != kNoNumber) text += ":" + std::to_string(index);
  return text;
}

}  // namespace sim
