#include "kan/bundle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/file.hpp"
#include "kan/manifest_json.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_autoencoder.hpp"

namespace kantrig::kan {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  const auto text = base::read_file(path, 1U << 20U);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

void overwrite(const fs::path& path, std::string_view text) {
  const auto ok = base::write_file_atomic(path, text);
  ASSERT_TRUE(ok) << ok.error().message;
}

/// A written bundle that each test may spoil.
class BundleTest : public testing::Test {
 protected:
  BundleTest() {
    const auto digest = write_bundle(test::small_bundle(), folder(), Overwrite::kRefuse);
    EXPECT_TRUE(digest) << digest.error().message;
  }
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "small-1.2.0"; }
  [[nodiscard]] std::string load_error() const {
    const auto bundle = load_bundle(folder());
    return bundle ? "no error" : bundle.error().message;
  }
  /// Replaces the manifest, with a manifest.sha256 that fits: only what the manifest says is wrong then.
  void replace_manifest(const std::string& json) const {
    overwrite(folder() / "manifest.json", json);
    overwrite(folder() / "manifest.sha256", base::sha256(json).hex() + "  manifest.json\n");
  }
  [[nodiscard]] Manifest manifest() const {
    return manifest_from_json(content(folder() / "manifest.json")).value();
  }
  void replace_manifest(const Manifest& manifest) const {
    replace_manifest(manifest_to_json(manifest).value());
  }
  /// Writes a file and lists its digest, as somebody would who wants a wrong file to pass.
  void replace_listed(const std::string& path, const std::string& bytes) const {
    overwrite(folder() / path, bytes);
    Manifest changed = manifest();
    for (FileDigest& file : changed.files) {
      if (file.path == path) file = {path, base::sha256(bytes).hex(), bytes.size()};
    }
    replace_manifest(changed);
  }

  test::TemporaryFolder temporary_;
};

TEST_F(BundleTest, ReadsBackWhatWasWritten) {
  const Bundle written = test::small_bundle();
  const auto bundle = load_bundle(folder());
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->full_name(), "small-1.2.0");
  EXPECT_EQ(bundle->description, written.description);
  ASSERT_EQ(bundle->features.size(), 2U);
  EXPECT_EQ(bundle->features[0].name, "mass");
  EXPECT_EQ(bundle->features[0].unit, "GeV");
  EXPECT_EQ(bundle->classes, written.classes);
  EXPECT_EQ(bundle->provenance.seed, 7U);
  EXPECT_EQ(bundle->provenance.license, "Apache-2.0");
  EXPECT_EQ(bundle->metrics.at(0).value, 0.75);
  EXPECT_EQ(bundle->model.inputs[1].scale, 0.25F);
  EXPECT_EQ(bundle->model.inputs[1].offset, -1.0F);
  EXPECT_EQ(bundle->model.layers[0].tables, written.model.layers[0].tables);
  EXPECT_EQ(bundle->model.layers[1].tables, written.model.layers[1].tables);
  EXPECT_EQ(bundle->model.output_scales, written.model.output_scales);
  EXPECT_FALSE(bundle->model.codes_only);
  EXPECT_EQ(bundle->golden.count, 16U);
  EXPECT_EQ(bundle->golden.outputs, written.golden.outputs);
  EXPECT_EQ(bundle->reference.features[1].counts, written.reference.features[1].counts);
  EXPECT_EQ(bundle->reference.scores[2].first, 12);
  EXPECT_EQ(bundle->report_json, written.report_json);
  EXPECT_EQ(bundle->digest, base::sha256(content(folder() / "manifest.json")));
}

TEST_F(BundleTest, TheSameBundleGivesTheSameBytes) {
  const fs::path again = temporary_.path() / "again";
  ASSERT_TRUE(write_bundle(test::small_bundle(), again, Overwrite::kRefuse));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(content(entry.path()), content(again / entry.path().lexically_relative(folder())))
        << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 6U);
}

TEST_F(BundleTest, OneFlippedBitInAnyByteOfAnyFileIsRefusedByName) {
  for (const std::string name :
       {"manifest.json", "manifest.sha256", "model.pb", "golden/vectors.pb", "reference.pb", "report.json"}) {
    const std::string good = content(folder() / name);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      std::ofstream(folder() / name, std::ios::binary) << bad;
      const std::string message = load_error();
      ASSERT_THAT(message, HasSubstr("bundle small-1.2.0: " +
                                     std::string(name == "manifest.sha256" ? "manifest.json" : name)))
          << name << " byte " << at;
      ASSERT_THAT(message,
                  testing::AnyOf(HasSubstr("expected"), HasSubstr("is not what manifest.sha256 says")));
    }
    overwrite(folder() / name, good);
  }
  EXPECT_EQ(load_error(), "no error");
}

TEST_F(BundleTest, ATruncatedOrExtendedFileIsRefusedWithBothSizes) {
  const std::string good = content(folder() / "model.pb");
  overwrite(folder() / "model.pb", good.substr(0, good.size() - 1));
  EXPECT_EQ(load_error(), fmt::format("bundle small-1.2.0: model.pb: has {} bytes, expected {}",
                                      good.size() - 1, good.size()));
  overwrite(folder() / "model.pb", good + "x");
  EXPECT_THAT(load_error(), HasSubstr("model.pb: has"));
}

TEST_F(BundleTest, ImagesForACardStayOnTheDiskUnlessAskedFor) {
  Bundle with = test::small_bundle();
  with.fpga_files = {{"fpga/emulated.json", "{}\n"}, {"fpga/emulated.xclbin", "large"}};
  ASSERT_TRUE(write_bundle(with, folder(), Overwrite::kReplace));
  const auto light = load_bundle(folder());
  ASSERT_TRUE(light) << light.error().message;
  EXPECT_EQ(light->fpga_files, (std::map<std::string, std::string>{{"fpga/emulated.json", "{}\n"}}));
  EXPECT_EQ(light->fpga_left_out, (std::map<std::string, std::uint64_t>{{"fpga/emulated.xclbin", 5}}));
  const auto whole = load_bundle(folder(), {}, Images::kKeep);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->fpga_files, with.fpga_files);
  EXPECT_TRUE(whole->fpga_left_out.empty());

  const auto written = write_bundle(*light, folder(), Overwrite::kReplace);
  ASSERT_FALSE(written) << "a bundle without its image was written";
  EXPECT_THAT(written.error().message, HasSubstr("fpga/emulated.xclbin: was left on the disk"));
  ASSERT_TRUE(write_bundle(*whole, folder(), Overwrite::kReplace));

  overwrite(folder() / "fpga/emulated.xclbin", "lArge");
  EXPECT_THAT(load_error(), HasSubstr("fpga/emulated.xclbin: has sha256"));
}

TEST_F(BundleTest, FilesForACardMustLieWhereTheyBelong) {
  Bundle wrong = test::small_bundle();
  wrong.fpga_files["model.pb"] = "x";
  const auto written = write_bundle(wrong, folder(), Overwrite::kReplace);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("is not below fpga/"));
}

TEST_F(BundleTest, AMissingFileIsNamed) {
  for (const std::string name :
       {"manifest.json", "manifest.sha256", "model.pb", "golden/vectors.pb", "reference.pb"}) {
    const std::string good = content(folder() / name);
    fs::remove(folder() / name);
    EXPECT_THAT(load_error(), HasSubstr(name + ": is missing")) << name;
    overwrite(folder() / name, good);
  }
}

TEST_F(BundleTest, AnUnlistedFileIsRefused) {
  overwrite(folder() / "notes.txt", "hello");
  EXPECT_EQ(load_error(),
            "bundle small-1.2.0: notes.txt: is not listed in the manifest, expected no other file");
}

TEST_F(BundleTest, AListedFileOfAnotherKindIsCoveredByItsDigest) {
  fs::create_directory(folder() / "rtl");
  overwrite(folder() / "rtl/kan.sv", "module kan; endmodule\n");
  Manifest changed = manifest();
  changed.files.push_back({"rtl/kan.sv", base::sha256("module kan; endmodule\n").hex(), 22});
  replace_manifest(changed);
  EXPECT_EQ(load_error(), "no error");
  overwrite(folder() / "rtl/kan.sv", "module kaN; endmodule\n");
  EXPECT_THAT(load_error(), HasSubstr("rtl/kan.sv: has sha256"));
}

TEST_F(BundleTest, ASymbolicLinkIsRefused) {
  const std::string good = content(folder() / "model.pb");
  overwrite(temporary_.path() / "outside.pb", good);
  fs::remove(folder() / "model.pb");
  fs::create_symlink(temporary_.path() / "outside.pb", folder() / "model.pb");
  EXPECT_EQ(load_error(),
            "bundle small-1.2.0: model.pb: is a link or special file, expected regular files only");
}

TEST_F(BundleTest, AFolderThatIsNotThereIsNamed) {
  const auto bundle = load_bundle(temporary_.path() / "jets-9.9.9");
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(bundle.error().message, HasSubstr("bundle jets-9.9.9: "));
}

TEST_F(BundleTest, PathsThatLeaveTheBundleAreRefused) {
  for (const std::string path : {"../secret", "/etc/passwd", "a/../../b", "a//b", ".", "golden/",
                                 "manifest.json", "a\\b", ".hidden", "manifest.sig"}) {
    Manifest changed = manifest();
    changed.files.insert(changed.files.begin(), {path, std::string(64, '0'), 0});
    replace_manifest(changed);
    EXPECT_THAT(load_error(), HasSubstr("manifest.json: file 0: path '" + path + "' is not allowed")) << path;
    changed.files.erase(changed.files.begin());
    replace_manifest(changed);
  }
}

TEST_F(BundleTest, FilesListedTwiceOrOutOfOrderAreRefused) {
  Manifest changed = manifest();
  changed.files.insert(changed.files.begin(), changed.files[0]);
  replace_manifest(changed);
  EXPECT_THAT(load_error(), HasSubstr("expected paths sorted and unique"));
  changed.files.erase(changed.files.begin());
  std::swap(changed.files[0], changed.files[1]);
  replace_manifest(changed);
  EXPECT_THAT(load_error(), HasSubstr("expected paths sorted and unique"));
}

TEST_F(BundleTest, NamesMustBeThereAndUnique) {
  const Manifest good = manifest();
  const auto error_of = [&](auto change) {
    Manifest changed = good;
    change(changed);
    replace_manifest(changed);
    return load_error();
  };
  EXPECT_THAT(error_of([](Manifest& m) { m.features[1].name = "mass"; }),
              HasSubstr("feature 1: name 'mass' is taken"));
  EXPECT_THAT(error_of([](Manifest& m) { m.features[0].name = ""; }),
              HasSubstr("feature 0: expected a name"));
  EXPECT_THAT(error_of([](Manifest& m) { m.classes[2] = "g"; }), HasSubstr("class 2: name 'g' is taken"));
  EXPECT_THAT(error_of([](Manifest& m) { m.classes.pop_back(); }), HasSubstr("names 2 classes, expected 3"));
  EXPECT_THAT(error_of([](Manifest& m) { m.features.pop_back(); }),
              HasSubstr("names 1 features, expected 2"));
  EXPECT_THAT(error_of([](Manifest& m) { m.layers[1].edge_count = 4; }),
              HasSubstr("layer 1 is 2 -> 3 with 4 edges"));
  EXPECT_THAT(error_of([](Manifest& m) { m.layers.pop_back(); }), HasSubstr("has 1 layers, expected the 2"));
  EXPECT_THAT(error_of([](Manifest& m) { m.name = "../x"; }), HasSubstr("name or version '../x'"));
  EXPECT_THAT(error_of([](Manifest& m) { m.version = ""; }), HasSubstr("name or version ''"));
  EXPECT_THAT(error_of([](Manifest& m) { m.format_version = 2; }),
              HasSubstr("has format version 2, expected 1"));
  EXPECT_THAT(error_of([](Manifest& m) { m.files[0].sha256[0] = 'G'; }),
              HasSubstr("not 64 lower-case hex digits"));
  EXPECT_THAT(error_of([](Manifest& m) { m.files[0].size_bytes = ~0ULL; }), HasSubstr("expected at most"));
  EXPECT_THAT(error_of([](Manifest& m) { m.metrics[0].value = std::nan(""); }), HasSubstr("finite value"));
}

TEST_F(BundleTest, AManifestThatIsNoManifestIsRefused) {
  replace_manifest(std::string("{\"name\": 3"));
  EXPECT_THAT(load_error(), HasSubstr("manifest.json: is not a manifest"));
  replace_manifest(std::string("{\"colour\": \"red\"}"));
  EXPECT_THAT(load_error(), HasSubstr("manifest.json: is not a manifest"));
}

TEST_F(BundleTest, GoldenVectorsThatTheModelDoesNotGiveAreRefused) {
  const std::string good = content(folder() / "golden/vectors.pb");
  std::string bad = good;
  bad[bad.size() - 2] = static_cast<char>(bad[bad.size() - 2] ^ 1);  // last output, low byte
  replace_listed("golden/vectors.pb", bad);
  EXPECT_EQ(load_error(),
            "bundle small-1.2.0: golden/vectors.pb: vector 15 output 2: the model gives 12, expected 13");
}

TEST_F(BundleTest, ListedFilesThatDoNotParseAreRefused) {
  for (const std::string name : {"model.pb", "golden/vectors.pb", "reference.pb"}) {
    const std::string good = content(folder() / name);
    replace_listed(name, good.substr(0, good.size() - 1));
    EXPECT_THAT(load_error(), HasSubstr("bundle small-1.2.0: " + name + ": ")) << name;
    replace_listed(name, good);
  }
  EXPECT_EQ(load_error(), "no error");
}

TEST_F(BundleTest, AFolderInTheWayIsReplacedOnlyWhenItIsTheSameBundle) {
  Bundle changed = test::small_bundle();
  changed.description = "newer";
  const auto refused = write_bundle(changed, folder(), Overwrite::kRefuse);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("exists already"));
  const auto replaced = write_bundle(changed, folder(), Overwrite::kReplace);
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_EQ(load_bundle(folder())->description, "newer");
  EXPECT_EQ(load_bundle(folder())->digest, *replaced);

  changed.version = "1.3.0";
  const auto other = write_bundle(changed, folder(), Overwrite::kReplace);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("is not an older bundle small-1.3.0"));
  fs::create_directory(temporary_.path() / "empty");
  EXPECT_FALSE(write_bundle(changed, temporary_.path() / "empty", Overwrite::kReplace));
  EXPECT_FALSE(write_bundle(changed, temporary_.path() / "empty", Overwrite::kRefuse));

  std::size_t left = 0;
  for (const auto& entry : fs::directory_iterator(temporary_.path())) {
    static_cast<void>(entry);
    ++left;
  }
  EXPECT_EQ(left, 2U) << "temporary folders were left behind";
}

TEST_F(BundleTest, WhatCouldNotBeLoadedIsNotWritten) {
  const auto error_of = [&](auto change) {
    Bundle changed = test::small_bundle();
    change(changed);
    const auto digest = write_bundle(changed, temporary_.path() / "never", Overwrite::kRefuse);
    EXPECT_FALSE(fs::exists(temporary_.path() / "never"));
    return digest ? "no error" : digest.error().message;
  };
  EXPECT_THAT(error_of([](Bundle& b) { b.golden.outputs[0] = 99; }), HasSubstr("vector 0 output 0"));
  EXPECT_THAT(error_of([](Bundle& b) { b.golden = {}; }), HasSubstr("has 0 vectors"));
  EXPECT_THAT(error_of([](Bundle& b) { b.golden.inputs[3] = 4; }), HasSubstr("vector 1 input 1: code is 4"));
  EXPECT_THAT(error_of([](Bundle& b) { b.model.output_scales[0] = INFINITY; }), HasSubstr("output scales"));
  EXPECT_THAT(error_of([](Bundle& b) { b.model.inputs[0].scale = NAN; }), HasSubstr("must be finite"));
  EXPECT_THAT(error_of([](Bundle& b) { b.reference.features[1].name = "pt"; }),
              HasSubstr("histogram 1 is of 'pt'"));
  EXPECT_THAT(error_of([](Bundle& b) { b.reference.scores.pop_back(); }),
              HasSubstr("2 features and 3 scores"));
  EXPECT_THAT(error_of([](Bundle& b) { b.name = "a b"; }), HasSubstr("name or version 'a b'"));
}

TEST_F(BundleTest, AnAutoencoderHasOneScoreAndTwoClasses) {
  Bundle written = test::small_autoencoder_bundle();
  const fs::path path = temporary_.path() / "autoencoder";
  ASSERT_TRUE(write_bundle(written, path, Overwrite::kRefuse));
  const auto bundle = load_bundle(path);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->golden.outputs.size(), 16U);
  EXPECT_TRUE(bundle->model.output_stage.has_value());

  written.classes = {"a", "b", "c"};
  const auto refused = write_bundle(written, path, Overwrite::kReplace);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("names 3 classes, expected 2 for a model of 1 outputs"));
}

TEST_F(BundleTest, AScoreThatTheOutputStageDoesNotGiveIsRefused) {
  Bundle written = test::small_autoencoder_bundle();
  ++written.golden.outputs[7];
  const auto refused = write_bundle(written, temporary_.path() / "autoencoder", Overwrite::kRefuse);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("vector 7 output 0: the model gives"));
}

}  // namespace
}  // namespace kantrig::kan
