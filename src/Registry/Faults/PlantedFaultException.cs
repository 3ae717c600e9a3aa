namespace Pipeline.Registry.Faults;

/// <summary>A fault that a test planted at a point (<see cref="FaultPoints"/>).</summary>
public sealed class PlantedFaultException(string point) : Exception($"a fault is planted at {point}");
