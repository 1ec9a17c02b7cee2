#include "control/model_registry.hpp"

#include <gmock/gmock.h>

#include "unit/control/control_room.hpp"

namespace kantrig::control {
namespace {

using test::ControlFolder;
using testing::HasSubstr;

class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() {
    options.repository = folder.repository();
    options.backend.kernel_set = "scalar";
    options.loaded_models_max = 2;
  }
  Result<ModelPointer> load(ModelRegistry& registry, const std::string& name) {
    Result<ModelPointer> result = fail(ErrorCode::kTimeout, "never called");
    registry.load(name, [&](Result<ModelPointer> loaded) { result = std::move(loaded); });
    io.restart();
    io.run();  // a load keeps it running until it is reported
    return result;
  }
  ControlFolder folder;
  boost::asio::io_context io;
  RegistryOptions options;
};

TEST_F(ModelRegistryTest, ListsTheRepositoryBeforeAnythingIsLoaded) {
  std::filesystem::create_directory(folder.repository() / "no-bundle");
  const ModelRegistry registry(io, options);
  const auto list = registry.list();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].name, "small-1.0.0");
  EXPECT_EQ(list[0].state, ModelState::kStaged);
}

TEST_F(ModelRegistryTest, LoadsVerifiesAndKeepsAModel) {
  ModelRegistry registry(io, options);
  const auto model = load(registry, "small-1.0.0");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->prepared->evaluator().kernel_set(), "scalar");
  EXPECT_EQ(registry.find("small-1.0.0"), *model);
  EXPECT_EQ(registry.list()[0].state, ModelState::kVerified);
}

TEST_F(ModelRegistryTest, LoadedAgainFromTheSameBytesItIsTheSameModel) {
  ModelRegistry registry(io, options);
  const auto first = load(registry, "small-1.0.0");
  EXPECT_EQ(load(registry, "small-1.0.0").value(), first.value());
}

TEST_F(ModelRegistryTest, AnswersTwoLoadsOfOneNameWithOneModel) {
  ModelRegistry registry(io, options);
  std::vector<ModelPointer> models;
  for (int i = 0; i < 2; ++i) {
    registry.load("small-1.0.0",
                  [&](const Result<ModelPointer>& loaded) { models.push_back(loaded.value()); });
  }
  io.run();
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0], models[1]);
}

TEST_F(ModelRegistryTest, AFailedReloadKeepsTheLoadedModelAndRemembersWhy) {
  ModelRegistry registry(io, options);
  const auto first = load(registry, "small-1.0.0");
  folder.damage_bundle("1.0.0");
  EXPECT_FALSE(load(registry, "small-1.0.0"));
  EXPECT_EQ(registry.find("small-1.0.0"), first.value());
  EXPECT_THAT(registry.list()[0].reason, HasSubstr("model.pb"));
}

TEST_F(ModelRegistryTest, RefusesNamesThatAreNoFolderOfTheRepository) {
  ModelRegistry registry(io, options);
  for (const char* name : {"", "..", "../small-1.0.0", "/etc", "a/b", ".hidden"}) {
    const auto loaded = load(registry, name);
    ASSERT_FALSE(loaded) << name;
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalid) << name;
  }
  EXPECT_FALSE(load(registry, "absent-1.0.0"));
  EXPECT_EQ(registry.list().size(), 3U);
}

TEST_F(ModelRegistryTest, RefusesABundleWhoseFolderHasAnotherName) {
  std::filesystem::rename(folder.repository() / "small-1.2.0", folder.repository() / "small-9.9.9");
  ModelRegistry registry(io, options);
  const auto loaded = load(registry, "small-9.9.9");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("small-1.2.0"));
}

TEST_F(ModelRegistryTest, RefusesASignatureThatIsRequiredAndMissing) {
  options.signatures.required = true;
  ModelRegistry registry(io, options);
  EXPECT_FALSE(load(registry, "small-1.0.0"));
  EXPECT_EQ(registry.list()[0].state, ModelState::kFailed);
}

TEST_F(ModelRegistryTest, LoadsNoMoreModelsThanItsBound) {
  ModelRegistry registry(io, options);
  ASSERT_TRUE(load(registry, "small-1.0.0"));
  ASSERT_TRUE(load(registry, "small-1.1.0"));
  const auto third = load(registry, "small-1.2.0");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kBusy);
  EXPECT_TRUE(load(registry, "small-1.0.0"));  // again is not one more
  ASSERT_TRUE(registry.unload("small-1.0.0"));
  EXPECT_TRUE(load(registry, "small-1.2.0"));
}

TEST_F(ModelRegistryTest, UnloadsNothingThatRuns) {
  ModelRegistry registry(io, options);
  const auto model = load(registry, "small-1.0.0").value();
  registry.set_roles({.active = model, .previous = {}, .shadow = {}, .generation = {1}});
  const auto unloaded = registry.unload("small-1.0.0");
  ASSERT_FALSE(unloaded);
  EXPECT_THAT(unloaded.error().message, HasSubstr("active"));
  EXPECT_EQ(registry.unload("small-1.1.0").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace kantrig::control
