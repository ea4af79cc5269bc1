// Loaded into what runNode starts. Should the starting process be killed, nobody would end this one,
// and it would keep its port and its locks.
if (process.env.ASK_AI_PARENT_PID === String(process.ppid) && process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // The listener alone must not keep a program running that is done.
  process.channel.unref();
}
