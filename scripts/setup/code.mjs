// The step of scripts/code-cache.mjs. farm runs without it, somewhat slower at its start; so nothing stops where it fails.

export async function keepCode() {
  try {
    const { makeCodeCache } = await import('../code-cache.mjs')
    await makeCodeCache()
  } catch (error) {
    console.error(`farm: V8's code could not be kept, so programs start some milliseconds later (${error.message})`)
  }
}
