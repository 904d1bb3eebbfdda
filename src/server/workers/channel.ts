import cluster from "node:cluster";

/** How many servers of this process need its channel to the primary. */
let users = 0;
let isUnheld = false;

/**
 * A server of this process needs the channel to the primary, by which a worker gets its connections, until the function that is returned is called. Once
 * none does, the channel keeps the process alive no more, which would otherwise not end by itself.
 */
export function useChannel(): () => void {
  if (!cluster.isWorker) return () => {};
  users++;
  if (isUnheld) process.channel?.ref();
  isUnheld = false;
  return () => {
    users--;
    if (users > 0) return;
    isUnheld = true;
    process.channel?.unref();
  };
}
