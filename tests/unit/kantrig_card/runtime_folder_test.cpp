#include "apps/kantrig-card/xrt/runtime_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "apps/kantrig-card/xrt/device.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::card_host {
namespace {

namespace fs = std::filesystem;

TEST(RuntimeFolder, LeavesXilinxXrtAsItIsWhenSet) {
  ::setenv("XILINX_XRT", "/somewhere", 1);
  {
    const auto folder = RuntimeFolder::prepare();
    ASSERT_TRUE(folder);
    EXPECT_STREQ(std::getenv("XILINX_XRT"), "/somewhere");
  }
  EXPECT_STREQ(std::getenv("XILINX_XRT"), "/somewhere");
  ::unsetenv("XILINX_XRT");
}

TEST(RuntimeFolder, MakesXrtWorkOnAMultiarchSystemAndTidiesUp) {
  if (fs::exists("/opt/xilinx/xrt/lib/libxrt_core.so.2")) GTEST_SKIP() << "AMD's packages are installed";
  const test::TemporaryFolder runtime;
  ::setenv("RUNTIME_DIRECTORY", runtime.path().c_str(), 1);
  ::unsetenv("XILINX_XRT");
  {
    const auto folder = RuntimeFolder::prepare();
    ASSERT_TRUE(folder) << folder.error().message;
    const fs::path root = std::getenv("XILINX_XRT");
    EXPECT_EQ(root.parent_path(), runtime.path());
    EXPECT_TRUE(fs::exists(root / "lib" / "libxrt_core.so.2"));
    EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
    const auto devices = Device::list();  // XRT finds its library: whether there is a card is another matter
    EXPECT_TRUE(devices) << devices.error().message;
  }
  EXPECT_TRUE(fs::is_empty(runtime.path()));
  ::unsetenv("RUNTIME_DIRECTORY");
}

}  // namespace
}  // namespace kantrig::card_host
