#include "tools/order_file.h"

#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Error(const std::string& classes, const std::string& chains) {
  const auto orders = ParseLockOrders("o.json", R"({"schema": 1, "name": "fs", "classes": )" +
                                                    classes + R"(, "chains": )" + chains + "}");
  return orders.ok() ? "" : std::string(orders.status().message());
}

constexpr char kClasses[] = R"([{"name": "A", "known_as": ["a", "a#2"]}, {"name": "B"}])";

TEST(OrderFileTest, ChainsNameClassesOfTheFile) {
  EXPECT_EQ(Error(kClasses, R"([{"name": "w", "source": "s", "classes": ["A", "B"]}])"), "");
  EXPECT_EQ(Error(kClasses, R"([{"name": "w", "source": "s", "classes": ["A", "Bb"]}])"),
            "o.json:1:155: /chains/0/classes/1: no such class \"Bb\"; did you mean \"B\"?");
  EXPECT_THAT(Error(kClasses, R"([{"name": "w", "source": "s", "classes": ["A"]}])"),
              HasSubstr("want two classes at least"));
  EXPECT_THAT(Error(kClasses, R"([{"name": "w", "source": "s", "classes": ["A", "B", "A"]}])"),
              HasSubstr("\"A\" is in this chain already"));
}

TEST(OrderFileTest, ANameIsOfOneClass) {
  EXPECT_THAT(Error(R"([{"name": "A", "known_as": ["a"]}, {"name": "a"}])", "[]"),
              HasSubstr("/classes/1/name: there is a class \"a\" already"));
  EXPECT_THAT(Error(R"([{"name": "A"}, {"name": "B", "known_as": ["A"]}])", "[]"),
              HasSubstr("/classes/1/known_as/0: \"A\" names a class already"));
}

TEST(OrderFileTest, MistakesAreNamedWithTheirPlace) {
  EXPECT_THAT(Error(R"([{"name": "A", "know_as": []}])", "[]"),
              HasSubstr("unknown key; did you mean \"known_as\"?"));
  EXPECT_THAT(Error("[]", "{}"), HasSubstr("/chains: want a list, got an object"));
}

TEST(OrderFileTest, TheFileOfExt4IsWellFormed) {
  const auto orders = LoadLockOrders(std::string(SOURCE_ROOT) + "/orders/ext4.json");
  ASSERT_TRUE(orders.ok()) << orders.status();
  EXPECT_GT(orders->chains.size(), 10u);
}

TEST(OrderFileTest, TheSchemaNamesEveryKey) {
  const nlohmann::ordered_json schema = LockOrdersSchema();
  EXPECT_TRUE(schema["properties"]["classes"]["items"]["properties"].contains("known_as"));
  EXPECT_THAT(schema["properties"]["chains"]["items"]["required"],
              ElementsAre("name", "source", "classes"));
}

}  // namespace
}  // namespace tools
