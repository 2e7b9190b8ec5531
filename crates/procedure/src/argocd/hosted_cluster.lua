-- A guest is healthy once its control plane is available: its workers come after it.
local health = {status = "Progressing", message = "waits for the operator"}
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local wrong = {ValidConfiguration = true, ValidReleaseImage = true, SupportedHostedCluster = true, PlatformCredentialsFound = true}
for _, condition in ipairs(obj.status.conditions) do
  if wrong[condition.type] and condition.status == "False" then
    return {status = "Degraded", message = condition.type .. ": " .. (condition.message or condition.reason or "")}
  end
  if condition.type == "ReconciliationActive" and condition.status == "False" then
    return {status = "Suspended", message = condition.message or "paused"}
  end
  if condition.type == "Available" then
    if condition.status == "True" then
      health.status = "Healthy"
    end
    health.message = condition.message or condition.reason or ""
  end
end
return health
