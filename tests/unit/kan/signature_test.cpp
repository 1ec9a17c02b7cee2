#include "kan/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::kan {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class SignatureTest : public testing::Test {
 protected:
  SignatureTest() {
    EXPECT_TRUE(write_bundle(test::small_bundle(), folder_, Overwrite::kRefuse));
    public_key_ = create_keys({secret_, public_}).value();
  }
  [[nodiscard]] std::string load_error(const SignaturePolicy& policy) const {
    const auto bundle = load_bundle(folder_, policy);
    return bundle ? "no error" : bundle.error().message;
  }

  test::TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "small-1.2.0";
  fs::path secret_ = temporary_.path() / "release.key";
  fs::path public_ = temporary_.path() / "release.pub";
  std::string public_key_;
};

TEST_F(SignatureTest, ABundleSignedByATrustedKeyLoads) {
  const auto signer = sign_bundle(folder_, secret_);
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(*signer, public_key_);
  EXPECT_EQ(load_error({.required = true, .public_keys = public_}), "no error");
  EXPECT_EQ(load_error({}), "no error");
}

TEST_F(SignatureTest, AnUnsignedBundleIsRefusedOnlyWhereASignatureIsRequired) {
  EXPECT_THAT(load_error({.required = true, .public_keys = public_}),
              HasSubstr("bundle small-1.2.0: manifest.sig: is missing, expected a signature by a key in"));
  EXPECT_EQ(load_error({.required = false, .public_keys = public_}), "no error");
}

TEST_F(SignatureTest, ASignatureByAnotherKeyIsRefusedWhereKeysAreGiven) {
  const fs::path other = temporary_.path() / "other.key";
  ASSERT_TRUE(create_keys({other, temporary_.path() / "other.pub"}));
  ASSERT_TRUE(sign_bundle(folder_, other));
  EXPECT_EQ(load_error({}), "no error");
  EXPECT_THAT(load_error({.required = false, .public_keys = public_}), HasSubstr("expected one of the 1 in"));
}

TEST_F(SignatureTest, OneFlippedBitInAnyByteOfTheSignatureIsRefused) {
  ASSERT_TRUE(sign_bundle(folder_, secret_));
  const std::string good = base::read_file(folder_ / "manifest.sig", 1024).value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int bit : {0, 5}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      ASSERT_TRUE(base::write_file_atomic(folder_ / "manifest.sig", bad));
      ASSERT_THAT(load_error({}), HasSubstr("bundle small-1.2.0: manifest.sig: ")) << at;
    }
  }
}

TEST_F(SignatureTest, ASignatureOfAnotherManifestIsRefused) {
  ASSERT_TRUE(sign_bundle(folder_, secret_));
  const std::string signature = base::read_file(folder_ / "manifest.sig", 1024).value();
  const auto checked = check_signature("{}", signature, {});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("does not fit manifest.json"));
}

TEST_F(SignatureTest, TheSecretKeyIsReadableByItsOwnerOnlyAndNeverOverwritten) {
  struct stat info {};
  ASSERT_EQ(::stat(secret_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto again = create_keys({secret_, temporary_.path() / "new.pub"});
  ASSERT_FALSE(again);
  EXPECT_FALSE(fs::exists(temporary_.path() / "new.pub"));
}

TEST_F(SignatureTest, KeyFilesThatAreNoneAreRefused) {
  const fs::path bad = temporary_.path() / "bad";
  ASSERT_TRUE(base::write_file_atomic(bad, "not a key\n"));
  const auto signer = sign_bundle(folder_, bad);
  ASSERT_FALSE(signer);
  EXPECT_THAT(signer.error().message, HasSubstr("expected a secret key: 64 lower-case hex digits"));
  ASSERT_TRUE(sign_bundle(folder_, secret_));
  EXPECT_THAT(load_error({.required = true, .public_keys = bad}),
              HasSubstr("bad line 1: expected a public key"));
  ASSERT_TRUE(base::write_file_atomic(bad, "# nobody\n"));
  EXPECT_THAT(load_error({.required = true, .public_keys = bad}), HasSubstr("holds no public key"));
  EXPECT_THAT(load_error({.required = true, .public_keys = {}}),
              HasSubstr("no file of public keys is given"));
}

}  // namespace
}  // namespace kantrig::kan
