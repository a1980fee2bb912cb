#include "tools/generate_command.h"

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;

class GenerateCommandTest : public CommandTest {
 protected:
  size_t Files(const std::string& directory) const {
    size_t files = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(Path(directory))) {
      ++files;
    }
    return files;
  }
};

TEST_F(GenerateCommandTest, WritesEveryWorkload) {
  EXPECT_EQ(Crashdep({"generate", "--ops", "2", "-o", Path("new/ops2")}), 0);
  EXPECT_EQ(out_, "2,028 workloads\n\nrun them: crashdep run " + Path("new/ops2") + "\n");
  EXPECT_EQ(Files("new/ops2"), 2028u);
  EXPECT_EQ(Crashdep({"check", Path("new/ops2")}), 0);
}

TEST_F(GenerateCommandTest, IsLikeTheScenarioWithItsPolicies) {
  const std::string like = PutScenario("s", "[]", R"({"findings": ["deadlock"]})");
  EXPECT_EQ(Crashdep({"generate", "--ops", "1", "--files", "2", "--like", like, "--policy",
                      "break_it", "-o", Path("d")}),
            0);
  const auto made = nlohmann::json::parse(Get("d/map_b_fsync_a.json"));
  EXPECT_EQ(made["policy"]["break_it"], true);
  EXPECT_TRUE(made["expect"]["findings"].empty());
}

TEST_F(GenerateCommandTest, NamesWhatItCannotUse) {
  EXPECT_EQ(Crashdep({"generate", "--ops", "1", "--policy", "brake_it", "-o", Path("d")}), 2);
  EXPECT_EQ(err_, "--policy: there is no policy \"brake_it\"; did you mean \"break_it\"?\n");
  EXPECT_EQ(Crashdep({"generate", "--ops", "1", "--like", Path("none"), "-o", Path("d")}), 2);
  EXPECT_THAT(err_, HasSubstr("none: no such file"));
  EXPECT_EQ(Crashdep({"generate", "--ops", "9", "-o", Path("d")}), 2);
  EXPECT_FALSE(std::filesystem::exists(Path("d")));
}

TEST_F(GenerateCommandTest, LeavesADirectoryWithFilesAlone) {
  Put("d/mine.txt", "mine");
  EXPECT_EQ(Crashdep({"generate", "--ops", "1", "-o", Path("d")}), 2);
  EXPECT_EQ(err_, Path("d") + ": is not empty; it is left alone\n");
  EXPECT_EQ(Files("d"), 1u);
}

}  // namespace
}  // namespace tools
