#include "model/crash/state_count.h"

#include <boost/multiprecision/cpp_int.hpp>

namespace model {

void StateCount::AddFamily(const Signature& sectors) {
  ++families_;
  ++count_[sectors];
}

void StateCount::Merge(const StateCount& other) {
  families_ += other.families_;
  for (const auto& [sectors, families] : other.count_) count_[sectors] += families;
}

std::string StateCount::States() const {
  using boost::multiprecision::cpp_int;
  cpp_int sum = 0;
  for (const auto& [sectors, families] : count_) {
    cpp_int states = families;
    for (size_t n = 0; n < sectors.size(); ++n) {
      states *= boost::multiprecision::pow(cpp_int(n + 2), sectors[n]);
    }
    sum += states;
  }
  return sum.str();
}

}  // namespace model
