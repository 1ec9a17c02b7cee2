#include "control/start_plan.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::control {
namespace {

class StartPlanTest : public testing::Test {
 protected:
  StartPlanTest() {
    options.model = "jets-1.0.0";
    options.menu_file = folder.path() / "menu.toml";
    std::ofstream(options.menu_file) << "configured";
    was.configured = {.model = "jets-1.0.0", .menu_digest = base::sha256("configured").hex(), .column = ""};
    was.model = "jets-1.1.0";
    was.previous = "jets-1.0.0";
    was.shadow = "jets-1.2.0";
    was.menu_text = "loaded";
    was.menu_origin = "loaded.toml";
    was.column = "cosmics";
  }
  test::TemporaryFolder folder;
  ControllerOptions options;
  PersistedState was;
};

TEST_F(StartPlanTest, IsTheConfigurationTheFirstTime) {
  const auto plan = plan_start(options, std::nullopt);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->model, "jets-1.0.0");
  EXPECT_EQ(plan->previous, "");
  EXPECT_EQ(plan->menu.text, "configured");
  EXPECT_EQ(plan->column, "");
}

TEST_F(StartPlanTest, IsWhatWasOnWhileTheConfigurationIsTheSame) {
  const auto plan = plan_start(options, was);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->model, "jets-1.1.0");
  EXPECT_EQ(plan->previous, "jets-1.0.0");
  EXPECT_EQ(plan->shadow, "jets-1.2.0");
  EXPECT_EQ(plan->menu.text, "loaded");
  EXPECT_EQ(plan->menu.origin, "loaded.toml");
  EXPECT_EQ(plan->column, "cosmics");
}

TEST_F(StartPlanTest, TakesAnEditedModelAndKeepsTheLoadedMenu) {
  options.model = "jets-2.0.0";
  const auto plan = plan_start(options, was);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->model, "jets-2.0.0");
  EXPECT_EQ(plan->previous, "jets-1.1.0");
  EXPECT_EQ(plan->shadow, "");
  EXPECT_EQ(plan->menu.text, "loaded");
}

TEST_F(StartPlanTest, TakesAnEditedMenuWithItsColumnAndKeepsTheModel) {
  std::ofstream(options.menu_file) << "edited";
  const auto plan = plan_start(options, was);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->model, "jets-1.1.0");
  EXPECT_EQ(plan->menu.text, "edited");
  EXPECT_EQ(plan->column, "");
}

TEST_F(StartPlanTest, TakesAnEditedColumn) {
  options.column = "calibration";
  const auto plan = plan_start(options, was);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->menu.text, "loaded");
  EXPECT_EQ(plan->column, "calibration");
}

}  // namespace
}  // namespace kantrig::control
