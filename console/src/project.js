// The project that is looked at: which there are, and what the person may do in it.
import { useMemo } from "preact/hooks";
import { all } from "./api.js";
import { useResource } from "./resource.js";

const READ_AGAIN_MS = 300_000; // Roles and names change rarely; the API decides in any case

export const useProjects = () =>
  useResource("/projects", { load: (path, options) => all(path, "projects", options) });

/**
 * What the person may do: `can("dataconnector.update")`. Until that is known, nothing. What may not
 * be done is not offered.
 */
export function usePermissions(project) {
  const { data } = useResource(`/projects/${project}/permissions`, {
    every: READ_AGAIN_MS,
    load: (path, options) => all(path, "permissions", options),
  });
  return useMemo(() => {
    const held = new Set(data);
    return { isKnown: data !== undefined, can: (permission) => held.has(permission) };
  }, [data]);
}

const LAST_AS = "project";

/** The project of the last visit; "" for none. */
export function lastProject() {
  try {
    return localStorage.getItem(LAST_AS) ?? "";
  } catch {
    return "";
  }
}

export function rememberProject(id) {
  try {
    localStorage.setItem(LAST_AS, id);
  } catch {
    // The chooser asks again.
  }
}
