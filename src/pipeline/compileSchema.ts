import Ajv, { type ValidateFunction } from "ajv";
import standaloneCode from "ajv/dist/standalone";
import { pipelineSchema } from "./schema";

/** A function that checks a value against the pipeline's schema. Making it takes 0.1 s. */
export function compileSchema(): ValidateFunction {
    return newAjv().compile(pipelineSchema);
}

/** The same function as the text of a CommonJS module that needs nothing else; the build makes `validator.js` of it. */
export function validatorCode(): string {
    const ajv = newAjv();
    ajv.addSchema(pipelineSchema, "pipeline");
    return standaloneCode(ajv, { validate: "pipeline" });
}

function newAjv(): Ajv {
    const ajv = new Ajv({
        allErrors: true,
        verbose: true,
        allowUnionTypes: true,
        ownProperties: true,
        messages: false,
        // It would be compiled too, to check a schema that never changes: the tests do that.
        validateSchema: false,
        meta: false,
        code: { source: true },
    });
    ajv.addKeyword({ keyword: "errorMessage", schemaType: "string" });
    return ajv;
}
