import type { Types } from "../../strict";
import { groupTypes } from "./group";
import { iamTypes } from "./iam";
import { instanceTypes } from "./instance";
import { providerTypes } from "./provider";
import { regionGroupTypes } from "./regionGroup";
import { secretsTypes } from "./secrets";
import { storageTypes } from "./storage";
import { templateTypes } from "./template";

/** What the real plugin takes, by the names of its SDK: `test/unit/standIns` compares them. */
export const gcpTypes: Types = {
    ...groupTypes,
    ...iamTypes,
    ...instanceTypes,
    ...providerTypes,
    ...regionGroupTypes,
    ...secretsTypes,
    ...storageTypes,
    ...templateTypes,
};
