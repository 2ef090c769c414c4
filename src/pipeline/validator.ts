import { compileSchema } from "./compileSchema";

/**
 * Checks a value against the pipeline's schema. Compiling it at each start would take longer than all else that an
 * unchanged run does in the program: the build puts the compiled function into this module's place in dist
 * (scripts/copy-assets.js), so that the package needs no ajv.
 */
export const validate = compileSchema();
