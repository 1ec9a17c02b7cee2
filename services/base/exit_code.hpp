// Exit codes of every program, as their --help documents them.
#pragma once

namespace kantrig::base {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,  // the work was done and the answer is no: vectors disagree, the ledger does not balance
  kExitUsage = 2,   // the command line is wrong
  kExitInput = 3,   // a file, bundle, menu or configuration is wrong or missing
  kExitUnavailable = 4,  // the daemon cannot be reached, or refused
  kExitOutput = 5,       // a result could not be written
};

}  // namespace kantrig::base
