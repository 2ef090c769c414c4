/** The folder, in that in which the command is started, for all that stackrun keeps. */
export const STATE_DIR = ".stackrun";
