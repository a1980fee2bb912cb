// How many states a set of crash families has, exactly.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace model {

// The sum, over families, of the product over sectors of how many contents each may have. Families
// with the same number of sectors of each kind are added up, so that adding one is cheap and big
// numbers are multiplied only when somebody asks.
class StateCount {
 public:
  // In a family, sectors[n] sectors have n + 2 possible contents each.
  using Signature = std::vector<uint32_t>;

  void AddFamily(const Signature& sectors) { AddFamilies(sectors, 1); }
  // So many of them.
  void AddFamilies(const Signature& sectors, uint64_t families);
  void Merge(const StateCount& other);

  uint64_t families() const { return families_; }
  // How many there are of each.
  const std::map<Signature, uint64_t>& count() const { return count_; }
  // In decimal, of any length.
  std::string States() const;

 private:
  uint64_t families_ = 0;
  std::map<Signature, uint64_t> count_;
};

}  // namespace model
