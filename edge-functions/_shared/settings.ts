const sources: Record<string, string> = {
  CLOUDINARY_URL: "Cloudinary's console shows it as cloudinary://<key>:<secret>@<cloud name>",
  FCM_SERVICE_ACCOUNT: 'Firebase console, Project settings, Service accounts: the key file as one line of JSON',
  PARLEY_JOB_SECRET: "a long random text of your own, the same as the vault's secret parley_job_secret",
  SUPABASE_URL: 'the platform sets it',
  SUPABASE_PUBLISHABLE_KEYS: 'the platform sets it',
  SUPABASE_SECRET_KEYS: 'the platform sets it',
}

/** @throws one clear line when it is not set. */
export function setting(name: keyof typeof sources): string {
  const value = Deno.env.get(name)
  if (!value) throw new Error(`The secret ${name} is not set (${sources[name]}). See .env.example.`)
  return value
}
