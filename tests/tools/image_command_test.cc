#include "tools/image_command.h"

#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;

class ImageCommandTest : public CommandTest {
 protected:
  ImageCommandTest() {
    scenario_ = PutScenario("s", "[]", R"({"findings": []})");
    trace_ = Put("t.json", R"({"kind": "stale_data"})");
  }

  std::string scenario_;
  std::string trace_;
};

TEST_F(ImageCommandTest, WritesImageAndWhatIsKnownOfIt) {
  EXPECT_EQ(Crashdep({"image", trace_, "-o", Path("a.img")}), 0);
  EXPECT_EQ(out_,
            "scenario  s\npower cut at 17 ns, one of 8 states\n  stale_data: a shows b\n"
            "metadata sound, stale_data\n\nwritten: " +
                Path("a.img") + " and " + Path("a.img.json") + "\n");
  EXPECT_THAT(Get("a.img"), HasSubstr("crashdep"));
  EXPECT_EQ(nlohmann::json::parse(Get("a.img.json"))["sound"], true);
}

TEST_F(ImageCommandTest, WritesAJournalOnADeviceOfItsOwnBesideIt) {
  const std::string trace = Put("e.json", R"({"kind": "external journal"})");
  EXPECT_EQ(Crashdep({"image", trace, "-o", Path("a.img")}), 0);
  EXPECT_THAT(out_, HasSubstr("\nwritten: " + Path("a.img") + ", " + Path("a.img.journal") +
                              " and " + Path("a.img.json") + "\n"));
  EXPECT_THAT(Get("a.img.journal"), HasSubstr("crashdep log"));
  EXPECT_EQ(Crashdep({"image", trace, "-o", Path("a.img")}), 0);
  Put("b.img.journal", "of somebody else");
  EXPECT_EQ(Crashdep({"image", trace, "-o", Path("b.img")}), 2);
  EXPECT_THAT(err_, HasSubstr("b.img.journal: is there and is not an image of crashdep"));
  EXPECT_FALSE(std::filesystem::exists(Path("b.img")));
}

TEST_F(ImageCommandTest, PassesTheStateOn) {
  EXPECT_EQ(Crashdep({"image", trace_, "-o", Path("a.img"), "--state", "5"}), 0);
  EXPECT_EQ(nlohmann::json::parse(Get("a.img.json"))["state"], "5");
}

TEST_F(ImageCommandTest, BadStateLeavesNothing) {
  EXPECT_EQ(Crashdep({"image", trace_, "-o", Path("a.img"), "--state", "9"}), 2);
  EXPECT_EQ(err_, trace_ + ": no state 9\n");
  EXPECT_FALSE(std::filesystem::exists(Path("a.img")));
}

TEST_F(ImageCommandTest, ReplacesAnImageAndNothingElse) {
  EXPECT_EQ(Crashdep({"image", trace_, "-o", Path("a.img")}), 0);
  EXPECT_EQ(Crashdep({"image", trace_, "-o", Path("a.img")}), 0);
  const std::string before = Get("t.json");
  EXPECT_EQ(Crashdep({"image", trace_, "-o", trace_}), 2);
  EXPECT_EQ(err_, trace_ + ": is there and is not an image of crashdep; it is left alone\n");
  EXPECT_EQ(Get("t.json"), before);
  EXPECT_EQ(Crashdep({"image", trace_, "-o", directory_}), 2);
}

TEST_F(ImageCommandTest, NamesABadTrace) {
  EXPECT_EQ(Crashdep({"image", Put("bad.json", "{"), "-o", Path("a.img")}), 2);
  EXPECT_THAT(err_, HasSubstr("bad.json:1:"));
}

TEST_F(ImageCommandTest, WritesASampleIntoADirectory) {
  EXPECT_EQ(Crashdep({"images", scenario_, "-o", Path("dir"), "--count", "3"}), 0);
  EXPECT_THAT(out_, HasSubstr(Path("dir") + "/s-0003.img  metadata sound, stale_data\n"));
  EXPECT_THAT(out_, HasSubstr("\n3 images\n"));
  EXPECT_THAT(Get("dir/s-0001.img"), HasSubstr("crashdep"));
  EXPECT_EQ(nlohmann::json::parse(Get("dir/s-0003.img.json"))["sound"], true);
  EXPECT_EQ(Crashdep({"images", scenario_, "-o", Path("dir"), "--count", "0"}), 2);
  EXPECT_EQ(Crashdep({"images", scenario_, "-o", scenario_}), 2);
}

}  // namespace
}  // namespace tools
