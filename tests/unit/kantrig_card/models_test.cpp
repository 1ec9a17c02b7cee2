#include "apps/kantrig-card/models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kantrig::card_host {
namespace {

using card_link::LoadKind;
using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<CardBundle> fixed(const std::string& hardware) {
  auto bundle = std::make_shared<CardBundle>();
  bundle->image.kernel = "kan_kernel";
  bundle->image.interface_version = 1;
  bundle->image.hardware_digest = hardware;
  bundle->image.input = {8, {{0, 6}}};
  bundle->image.output = {8, {{0, 7}}};
  return bundle;
}

std::shared_ptr<CardBundle> overlay(const std::string& shape, const std::string& tables) {
  auto bundle = fixed(shape);
  bundle->image.overlay = true;
  bundle->image.bank_begin = {0, 1'000};
  bundle->tables_digest = base::sha256(tables);
  return bundle;
}

/// Of a card that is loaded with the overlay of `first`, ready as load id 1.
Models ready_with(const std::shared_ptr<CardBundle>& first) {
  Models models;
  models.set_hardware(first);
  models.add({1, first, 0}, {});
  return models;
}

void add_tables(Models& models, std::uint64_t load_id, const std::shared_ptr<CardBundle>& bundle,
                std::uint32_t bank, std::vector<std::uint64_t> keep) {
  models.empty_bank(bank);
  models.fill_bank(bank, bundle);
  models.add({load_id, bundle, bank}, keep);
}

TEST(Models, LoadsAnXclbinOntoAnEmptyCard) {
  const Models models;
  EXPECT_EQ(models.plan(*fixed("a"), {}), (Models::Plan{LoadKind::kBitstream, 0}));
}

TEST(Models, LoadsNothingWhenAFixedDesignIsThereAlready) {
  const Models models = ready_with(fixed("a"));
  EXPECT_EQ(models.plan(*fixed("a"), {}), (Models::Plan{LoadKind::kNone, 0}));
}

TEST(Models, LoadsAnXclbinForAnotherFixedDesign) {
  const Models models = ready_with(fixed("a"));
  EXPECT_EQ(models.plan(*fixed("b"), {}), (Models::Plan{LoadKind::kBitstream, 0}));
}

TEST(Models, WritesTablesIntoTheFreeBank) {
  const Models models = ready_with(overlay("shape", "a"));
  EXPECT_EQ(models.plan(*overlay("shape", "b"), std::vector<std::uint64_t>{1}),
            (Models::Plan{LoadKind::kTables, 1}));
}

TEST(Models, LoadsNothingWhenABankHoldsTheTables) {
  Models models = ready_with(overlay("shape", "a"));
  add_tables(models, 2, overlay("shape", "b"), 1, {1});
  EXPECT_EQ(models.plan(*overlay("shape", "a"), {}), (Models::Plan{LoadKind::kNone, 0}));
  EXPECT_EQ(models.plan(*overlay("shape", "b"), {}), (Models::Plan{LoadKind::kNone, 1}));
}

TEST(Models, OverwritesTheBankThatNobodyWantsToKeep) {
  Models models = ready_with(overlay("shape", "a"));
  add_tables(models, 2, overlay("shape", "b"), 1, {1});
  EXPECT_EQ(models.plan(*overlay("shape", "c"), std::vector<std::uint64_t>{2}).bank, 0U);
  EXPECT_EQ(models.plan(*overlay("shape", "c"), std::vector<std::uint64_t>{1}).bank, 1U);
}

TEST(Models, SparesTheFirstOfThoseToKeepWhenBothBanksAreWanted) {
  Models models = ready_with(overlay("shape", "a"));
  add_tables(models, 2, overlay("shape", "b"), 1, {1});
  EXPECT_EQ(models.plan(*overlay("shape", "c"), std::vector<std::uint64_t>{1, 2}).bank, 1U);
  EXPECT_EQ(models.plan(*overlay("shape", "c"), std::vector<std::uint64_t>{2, 1}).bank, 0U);
}

TEST(Models, LoadsAnXclbinForAnOverlayOfAnotherShape) {
  const Models models = ready_with(overlay("shape", "a"));
  EXPECT_EQ(models.plan(*overlay("other", "a"), {}).kind, LoadKind::kBitstream);
}

TEST(Models, LoadsAnXclbinWhenTheRecordsOrBanksLieElsewhere) {
  const Models models = ready_with(overlay("shape", "a"));
  auto records = overlay("shape", "b");
  records->image.output.record_bits = 16;
  EXPECT_EQ(models.plan(*records, {}).kind, LoadKind::kBitstream);
  auto banks = overlay("shape", "b");
  banks->image.bank_begin = {0, 2'000};
  EXPECT_EQ(models.plan(*banks, {}).kind, LoadKind::kBitstream);
}

TEST(Models, KeepsReadyOnlyWhatIsAskedFor) {
  Models models = ready_with(overlay("shape", "a"));
  add_tables(models, 2, overlay("shape", "b"), 1, {1});
  EXPECT_THAT(models.load_ids(), ElementsAre(1, 2));
  models.add({3, models.banks()[1], 1}, std::vector<std::uint64_t>{2});
  EXPECT_THAT(models.load_ids(), ElementsAre(2, 3));
}

TEST(Models, LosesWhatABankHeldWhenItIsOverwritten) {
  Models models = ready_with(overlay("shape", "a"));
  add_tables(models, 2, overlay("shape", "b"), 1, {1});
  models.empty_bank(0);
  EXPECT_THAT(models.load_ids(), ElementsAre(2));
  EXPECT_EQ(models.plan(*overlay("shape", "a"), std::vector<std::uint64_t>{2}),
            (Models::Plan{LoadKind::kTables, 0}));
}

TEST(Models, LosesEverythingWithAnotherXclbin) {
  Models models = ready_with(overlay("shape", "a"));
  models.set_hardware(fixed("a"));
  EXPECT_THAT(models.load_ids(), IsEmpty());
  EXPECT_EQ(models.banks()[1], nullptr);
}

TEST(Models, KnowsWhatLiesInTheBanksWhenTheDaemonHasGone) {
  Models models = ready_with(overlay("shape", "a"));
  models.forget_load_ids();
  EXPECT_THAT(models.load_ids(), IsEmpty());
  EXPECT_EQ(models.plan(*overlay("shape", "a"), {}).kind, LoadKind::kNone);
}

}  // namespace
}  // namespace kantrig::card_host
