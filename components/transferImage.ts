/** What carries code and finished steps: rclone, and the shell and tools that ship.sh needs. */
export const TRANSFER_IMAGE = "rclone/rclone:1.69.1";
