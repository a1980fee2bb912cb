#include "model/crash/name_rules.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"

namespace model {

std::vector<MetadataFault> CheckNames(const History& history, const RecoveredTree& tree,
                                      Tid recovered) {
  std::vector<MetadataFault> faults;
  const std::string detail = absl::StrCat("as of transaction ", recovered);
  const std::map<std::string, FileKey> wanted = history.NamesAt(recovered);
  for (const auto& [name, file] : wanted) {
    const auto found = tree.names.find(name);
    if (found == tree.names.end()) {
      faults.push_back(
          {absl::StrCat(name, " is not there, where its operations leave a file"), detail});
    } else if (found->second != file) {
      faults.push_back(
          {absl::StrCat(name, " is another file than its operations leave there"), detail});
    }
  }
  for (const auto& [name, file] : tree.names) {
    if (wanted.contains(name) || history.Find(file) == nullptr) continue;
    faults.push_back({absl::StrCat(name, " is there, where its operations leave no file"), detail});
  }
  return faults;
}

}  // namespace model
