// One lock class under the names that different sources have for it: a model, this kernel's boot
// and the next one's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/lockdep/validator.h"

namespace sim {

struct ClassAlias {
  std::string name;                   // what it is called here
  std::vector<std::string> known_as;  // elsewhere; a '*' at the end stands for anything
};

class ClassNames {
 public:
  ClassNames() = default;
  explicit ClassNames(const std::vector<ClassAlias>& aliases);

  // What the class is called here; null: it has no name here. An entry without '*' goes before
  // one with, a longer one before a shorter.
  const std::string* Find(std::string_view class_name) const;

 private:
  std::map<std::string, std::string, std::less<>> exact_;
  std::vector<std::pair<std::string, std::string>> prefixes_;  // longest first
};

// The part of a graph that is about the classes with a name, under those names; subclasses are one
// with their class. A lock waited for depends on the nearest named lock that was held, whatever
// unnamed ones came between: chains tell that. Who was first seen with a dependency is there a
// chain.
std::unique_ptr<Validator> Project(const Validator& validator, const ClassNames& names);

}  // namespace sim
