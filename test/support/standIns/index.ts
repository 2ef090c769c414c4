import * as path from "node:path";

/** For `Project.create`: the stand-in in the place of `pulumi-resource-docker`. */
export const dockerPlugin = { docker: path.join(__dirname, "docker/bin") };

/** The same for `pulumi-resource-gcp`. */
export const gcpPlugin = { gcp: path.join(__dirname, "gcp") };
